"""JWTs that a provider signed (RFC 7519, 7.2; RFC 8725). Pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from app.auth.clients.keys import ALGORITHMS, signers

LEEWAY_S = 60
"""How far a provider's clock may be off."""


class Untrusted(Exception):  # noqa: N818  (what it is)
    """A token is not to be trusted; the reason does not repeat it."""


class UnknownSigner(Untrusted):
    """None of the keys made the signature; there may be others by now."""


class Expired(Untrusted):
    """It was good once."""


@dataclass(frozen=True)
class Signed:
    """What a token says; unverified after `unverified`."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def unverified(token: str) -> Signed:
    """What a token says, whoever made it. Raises Untrusted where it is no JWT."""
    try:
        signature = extract_compact(token.encode())
        header, claims = signature.headers(), json.loads(signature.payload)
    except (JoseError, ValueError, RecursionError):
        raise Untrusted("it is no JWT") from None
    if not isinstance(claims, dict):
        raise Untrusted("it is no JWT")
    return Signed(header, claims)


def verified(token: str, jwks: Mapping[str, Any], algorithms: Collection[str]) -> Signed:
    """What a token says that one of these keys signed. Raises Untrusted, UnknownSigner."""
    said = unverified(token)
    algorithm, kid = said.header.get("alg"), said.header.get("kid")
    if algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise Untrusted(f"it is signed by {str(algorithm)[:16]!r}, which is not allowed")
    for key in signers(jwks, str(algorithm), None if kid is None else str(kid)):
        try:
            return Signed(said.header, dict(jwt.decode(token, key, algorithms=[str(algorithm)]).claims))
        except (JoseError, ValueError, TypeError):
            continue
    raise UnknownSigner("none of the provider's keys signed it")


def check_times(claims: Mapping[str, Any], now: float) -> float:
    """When the token ends. Raises Untrusted, Expired (RFC 7519, 4.1.4 and 4.1.5)."""
    ends = claims.get("exp")
    if not _is_time(ends):
        raise Untrusted("it has no exp")
    if ends + LEEWAY_S <= now:
        raise Expired("it has expired")
    for name in ("nbf", "iat"):
        value = claims.get(name)
        if value is not None and (not _is_time(value) or value > now + LEEWAY_S):
            raise Untrusted(f"its {name} is in the future; compare the clocks")
    return float(ends)


def names(claim: object) -> list[str]:
    """The values of a claim that is a string or a list of them, such as `aud`."""
    values = claim if isinstance(claim, list) else [claim]
    return [value for value in values if isinstance(value, str)]


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11
