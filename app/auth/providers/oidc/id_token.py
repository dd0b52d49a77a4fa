"""The ID token of a login (OpenID Connect Core 1.0, 3.1.3.7). Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.auth.providers.oidc.signed import Signed, Untrusted, check_times, names

_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@dataclass(frozen=True)
class Expected:
    """What an ID token must say; `nonce` is None after a refresh, which has none (12.2)."""

    issuer: str
    client_id: str
    nonce: str | None
    access_token: str | None = field(repr=False)


def check_id_token(token: Signed, expected: Expected, now: float) -> Mapping[str, Any]:
    """The claims of a token whose signature holds. Raises Untrusted, which says what is wrong."""
    claims = token.claims
    if claims.get("iss") != expected.issuer:
        raise Untrusted("the ID token is of another issuer")
    if not isinstance(claims.get("sub"), str):
        raise Untrusted("the ID token has no sub")
    audiences = names(claims.get("aud"))
    if expected.client_id not in audiences:
        raise Untrusted("the ID token is for another client")
    party = claims.get("azp")
    if (party is not None or len(audiences) > 1) and party != expected.client_id:
        raise Untrusted("the ID token was issued to another client (azp)")
    if "iat" not in claims:
        raise Untrusted("the ID token has no iat")
    check_times(claims, now)
    if expected.nonce is not None and not _equal(claims.get("nonce"), expected.nonce):
        raise Untrusted("the ID token is of another login (nonce)")
    given = claims.get("at_hash")
    if given is not None and expected.access_token is not None:
        made = _half_hash(expected.access_token, str(token.header.get("alg")))
        if made is not None and not _equal(given, made):
            raise Untrusted("the ID token and the access token do not belong together (at_hash)")
    return claims


def _half_hash(value: str, algorithm: str) -> str | None:
    # 3.1.3.6: the left half of the hash that the signature's algorithm names. EdDSA names none.
    made = _HASHES.get(algorithm[-3:])
    if made is None:
        return None
    digest = made(value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _equal(given: object, wanted: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), wanted.encode())
