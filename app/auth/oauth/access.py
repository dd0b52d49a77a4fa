"""Access tokens of our own: JWTs (RFC 9068) for one resource, with no rights in them."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from app.auth.oauth.grants import Grant
from app.core.keys import InvalidToken, SigningKeys, UnknownKey

TYPE = "at+jwt"


@dataclass(frozen=True)
class AccessToken:
    """What an access token says. `resource` is a path; `scopes` None narrows nothing.

    `grant` is the grant it belongs to, if any; `parents` are the ids of the tokens it was exchanged for.
    """

    subject: str
    client_id: str
    resource: str
    scopes: list[str] | None
    expires_at: int
    grant: str | None = None
    parents: tuple[str, ...] = ()
    id: str = ""
    issued_at: int = 0


class AccessTokens:
    """Makes and reads access tokens; whether one was revoked is another question."""

    def __init__(self, keys: SigningKeys, issuer: str, life_s: int) -> None:
        self._keys = keys
        self._issuer = issuer
        self._life_s = life_s

    def life_end(self, ends: float | None = None) -> int:
        """When a token that is made now ends: after the usual life, or at `ends`."""
        usual = int(time.time()) + self._life_s
        return usual if ends is None else min(usual, int(ends))

    def for_grant(self, grant: Grant, resource: str, scopes: list[str] | None) -> tuple[str, AccessToken]:
        """A new token of a grant, and what it says."""
        token = AccessToken(grant.subject, grant.client_id, resource, scopes, self.life_end(), grant.id)
        return self.sign(token), token

    def sign(self, token: AccessToken) -> str:
        """The token as its client gets it, with an id of its own."""
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": f"{self._issuer}{token.resource}",
            "sub": token.subject,
            "client_id": token.client_id,
            "iat": int(time.time()),
            "exp": token.expires_at,
            "jti": secrets.token_urlsafe(16),
        }
        if token.scopes is not None:
            claims["scope"] = " ".join(token.scopes)
        if token.grant is not None:
            claims["gid"] = token.grant
        if token.parents:
            claims["parents"] = list(token.parents)
        return self._keys.sign(claims, TYPE)

    def is_ours(self, value: str) -> bool:
        """Whether a token says that it is an access token of this issuer; it is proven by `read`."""
        typ, claims = unproven(value)
        return typ == TYPE and claims.get("iss") == self._issuer

    async def read(self, value: str) -> AccessToken:
        """What a token says that `is_ours`. Raises InvalidToken."""
        audience = str(unproven(value)[1].get("aud"))
        try:
            claims = self._keys.verify(value, TYPE, audience, self._issuer)
        except UnknownKey:
            await self._keys.refresh()
            claims = self._keys.verify(value, TYPE, audience, self._issuer)
        return _token(claims, audience.removeprefix(self._issuer))


def unproven(value: str) -> tuple[str, dict[str, Any]]:
    """The `typ` and the claims that a token names, whoever signed it; nothing for what is no JWT."""
    try:
        parts = extract_compact(value.encode())
        claims = json.loads(parts.payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError):
        return "", {}
    return str(parts.headers().get("typ", "")), claims if isinstance(claims, dict) else {}


def _token(claims: dict[str, Any], resource: str) -> AccessToken:
    try:
        return AccessToken(
            subject=claims["sub"],
            client_id=claims["client_id"],
            resource=resource,
            scopes=claims["scope"].split() if "scope" in claims else None,
            expires_at=claims["exp"],
            grant=claims.get("gid"),
            parents=tuple(claims.get("parents", ())),
            id=claims["jti"],
            issued_at=claims["iat"],
        )
    except (KeyError, AttributeError) as error:
        raise InvalidToken(f"it lacks a claim of an access token: {error}") from None
