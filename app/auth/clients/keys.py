"""The public keys of clients, and which algorithms each may sign with."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

MOST_KEYS = 10
_MEMBERS = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}
_ANY = {"kty", "kid", "use", "alg"}
_BY_CURVE = {
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("Ed25519", "EdDSA"),
}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_RSA_BITS = (2048, 8192)
ALGORITHMS = sorted({*_RSA, *(name for names in _BY_CURVE.values() for name in names)})
"""All that any key of a client may sign with; never a symmetric one, never `none`."""


def public_keys(value: object) -> dict[str, Any]:
    """A client's JWK set, cut to what is known of public keys. Raises ValueError."""
    listed = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_KEYS:
        raise ValueError(f"jwks must be an object with 1 to {MOST_KEYS} public keys in `keys`")
    return {"keys": [_public(key) for key in listed]}


def usable_keys(value: object, most: int = MOST_KEYS) -> dict[str, Any]:
    """Of a JWK set elsewhere, which may hold keys for other uses, those that could sign here; maybe none."""
    listed = value.get("keys") if isinstance(value, dict) else None
    found: list[dict[str, Any]] = []
    for key in listed if isinstance(listed, list) else []:
        if len(found) == most:
            break  # each that is read takes its time
        with suppress(ValueError):
            found.append(_public(key))
    return {"keys": found}


def signers(jwks: Mapping[str, Any], algorithm: str, kid: str | None) -> Sequence[Key]:
    """The keys that may have signed with that algorithm under that `kid`."""
    keys = [
        import_key(key)
        for key in jwks["keys"]
        if key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid", kid) == kid)
    ]
    return [key for key in keys if algorithm in _algorithms(key)]


def _public(key: object) -> dict[str, Any]:
    if not isinstance(key, dict) or key.get("kty") not in _MEMBERS:
        raise ValueError("jwks: every key is an object with `kty` RSA, EC or OKP")
    if {"d", "k"} & key.keys():
        raise ValueError("jwks: a private key is in it; give public keys alone, and make new ones")
    members = {name: key[name] for name in _MEMBERS[key["kty"]] | _ANY if name in key}
    if not all(isinstance(member, str) and member.isprintable() for member in members.values()):
        raise ValueError("jwks: the members of a key are strings")
    # Before it is imported, which the library would warn of, or take long for.
    fits = key["kty"] != "RSA" or _RSA_BITS[0] <= 6 * len(members.get("n", "")) <= _RSA_BITS[1] + 12
    try:
        known = fits and _algorithms(import_key(members))
    except (JoseError, ValueError, KeyError, TypeError):
        raise ValueError(f"jwks: a key of type {key['kty']} cannot be read") from None
    if not known:
        shortest, longest = _RSA_BITS
        raise ValueError(
            "jwks: a key is of a length or curve that is not taken; "
            f"take {', '.join(_BY_CURVE)}, or RSA of {shortest} to {longest} bits"
        )
    return members


def _algorithms(key: Key) -> tuple[str, ...]:
    match key:
        case RSAKey():
            return _RSA if key.raw_value.key_size >= _RSA_BITS[0] else ()
        case ECKey() | OKPKey():
            return _BY_CURVE.get(str(key.as_dict(private=False)["crv"]), ())
    return ()
