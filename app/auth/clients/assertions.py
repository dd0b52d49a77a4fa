"""Clients that prove themselves by a signature: private_key_jwt (RFC 7523, 3; OpenID Connect Core, 9)."""

import hashlib
import time
from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from app.auth.clients.keys import signers
from app.auth.oauth.errors import OAuthError
from app.core.store import ABSENT, Conflict, Store

ASSERTIONS = "assertions"
LONGEST_LIFE_S = 600
LEEWAY_S = 30
"""How far a client's clock may be off."""
_LONGEST_JTI = 256


class UnknownSigner(Exception):  # noqa: N818  (what happened)
    """None of the keys made the signature; others may be at the client's address by now."""


def signed_claims(assertion: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of an assertion that one of these keys signed. Raises UnknownSigner."""
    try:
        header = extract_compact(assertion.encode()).headers()
        algorithm, kid = str(header.get("alg")), header.get("kid")
    except (JoseError, ValueError):
        raise UnknownSigner from None
    for key in signers(jwks, algorithm, None if kid is None else str(kid)):
        try:
            return dict(jwt.decode(assertion, key, algorithms=[algorithm]).claims)
        except (JoseError, ValueError, TypeError):
            continue
    raise UnknownSigner


def check_claims(claims: Mapping[str, Any], client_id: str, audiences: Collection[str], now: float) -> None:
    """Raise OAuthError `invalid_client` unless the claims are this client's, for us and for now.

    Only for claims whose signature holds: the answer says what is wrong with them.
    """
    audience = claims.get("aud")
    ends, begins, made = (claims.get(name) for name in ("exp", "nbf", "iat"))
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise _refused("iss and sub must both be the client's id")
    if not any(one in audiences for one in (audience if isinstance(audience, list) else [audience])):
        raise _refused(f"aud must be {' or '.join(sorted(audiences))}")
    if not _is_time(ends) or not now - LEEWAY_S < ends <= now + LONGEST_LIFE_S + LEEWAY_S:
        raise _refused(f"exp must be in the future, and at most {LONGEST_LIFE_S} s ahead")
    for name, value in (("nbf", begins), ("iat", made)):
        if value is not None and (not _is_time(value) or value > now + LEEWAY_S):
            raise _refused(f"{name} must not be in the future")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI or not jti.isprintable():
        raise _refused(f"jti must be there, a visible text of at most {_LONGEST_JTI} characters")


async def use_once(store: Store, client_id: str, claims: Mapping[str, Any]) -> None:
    """Raise OAuthError `invalid_client` for an assertion that was used before, at any auth server."""
    id = hashlib.sha256(f"{client_id}\n{claims['jti']}".encode()).hexdigest()
    try:
        await store.put(
            ASSERTIONS, id, {"kind": "client"}, expected=ABSENT, expires_at=claims["exp"] + LEEWAY_S
        )
    except Conflict:
        raise _refused("its jti was used before; make one for each request") from None


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < time.time() * 10


def _refused(reason: str) -> OAuthError:
    return OAuthError("invalid_client", f"client_assertion: {reason}", 401)
