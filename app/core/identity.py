import time
from dataclasses import dataclass

from app.core.keys import InvalidToken, SigningKeys

IDENTITY_HEADER = "Gatepost-Identity"
"""The header in which the gateway names a caller to the registry; a client's own copy is stripped."""

IDENTITY_TYPE = "gatepost-identity+jwt"
AUDIENCE = "registry"


@dataclass(frozen=True)
class Identity:
    """Who calls: facts that `policy.expand` turns into grants, never grants themselves.

    `groups` are those that scopes mention; `scopes` is the token's narrowing, None for none. `token_ends` is
    when the token ends, in seconds since the epoch; None for one without an end, and for a person's session.
    """

    subject: str
    client: str
    groups: list[str]
    scopes: list[str] | None
    token_ends: float | None = None


def issue(keys: SigningKeys, identity: Identity, issuer: str, expires_at: float) -> str:
    """A signed identity for the registry alone; `expires_at` in seconds since the epoch."""
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": identity.subject,
        "client_id": identity.client,
        "groups": identity.groups,
        "scopes": identity.scopes,
        "token_ends": identity.token_ends,
        "iat": int(time.time()),
        "exp": int(expires_at),
    }
    return keys.sign(claims, IDENTITY_TYPE)


def read(keys: SigningKeys, token: str, issuer: str) -> Identity:
    """The identity in a token that `issue` made. Raises InvalidToken; UnknownKey: refresh, then again."""
    claims = keys.verify(token, IDENTITY_TYPE, AUDIENCE, issuer)
    try:
        return Identity(
            claims["sub"], claims["client_id"], claims["groups"], claims["scopes"], claims["token_ends"]
        )
    except KeyError as error:
        raise InvalidToken(f"it has no claim {error}") from None
