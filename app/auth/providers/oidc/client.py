"""How Gatepost proves who it is at a provider's token endpoint (OpenID Connect Core 1.0, 9)."""

import base64
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import quote_plus

import anyio
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.oidc.discovery import Discovery
from app.core.models.identity_provider import OidcProviderConfig

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE_S = 120
_ALGORITHMS: Final[dict[Literal["RSA", "EC"], str]] = {"RSA": "RS256", "EC": "ES256"}
_SHA256_THUMBPRINT = 43
"""Characters of a SHA-256 in base64url; a SHA-1 has 27."""


@dataclass(frozen=True)
class Proof:
    """What is added to a token request."""

    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


async def proof(config: OidcProviderConfig, discovery: Discovery) -> Proof:
    """The client's proof for one request; files are read anew. Raises ProviderUnavailable."""
    if config.private_key_file is not None:
        pem = await _read(config, config.private_key_file)
        form = {"client_assertion_type": ASSERTION, "client_assertion": _assertion(config, discovery, pem)}
        return Proof({"client_id": config.client_id, **form}, {})
    secret = await _secret(config)
    if secret is None:
        return Proof({"client_id": config.client_id}, {})
    if "client_secret_basic" in discovery.auth_methods or "client_secret_post" not in discovery.auth_methods:
        pair = f"{quote_plus(config.client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
        return Proof({}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})
    return Proof({"client_id": config.client_id, "client_secret": secret}, {})


async def _secret(config: OidcProviderConfig) -> str | None:
    if config.client_secret_file is not None:
        return (await _read(config, config.client_secret_file)).decode(errors="replace").strip()
    if config.client_secret_env is None:
        return None
    value = os.environ.get(config.client_secret_env)
    if not value:
        raise ProviderUnavailable(
            f"{config.name} has no client secret: the variable {config.client_secret_env} is not set here"
        )
    return value


async def _read(config: OidcProviderConfig, file: os.PathLike[str]) -> bytes:
    try:
        return await anyio.Path(file).read_bytes()
    except OSError as error:
        raise ProviderUnavailable(
            f"{config.name} has no client secret or key: {os.fspath(file)}: {error.strerror}"
        ) from None


def _assertion(config: OidcProviderConfig, discovery: Discovery, pem: bytes) -> str:
    key = _private_key(pem)
    if key is None:
        raise ProviderUnavailable(
            f"{config.name}: {config.private_key_file} has no private key in PEM (RSA or P-256)"
        )
    algorithm = next(name for kind, name in _ALGORITHMS.items() if kind == key.key_type)
    now = int(time.time())
    claims = {
        "iss": config.client_id,
        "sub": config.client_id,
        "aud": discovery.token_endpoint,
        "jti": secrets.token_urlsafe(24),
        "iat": now,
        "exp": now + ASSERTION_LIFE_S,
    }
    header = {"alg": algorithm, "typ": "JWT", **_named(config)}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def _private_key(pem: bytes) -> Key | None:
    for key_type in _ALGORITHMS:
        with suppress(JoseError, ValueError, TypeError):
            key = import_key(pem.decode(), key_type)
            if key.is_private:
                return key
    return None


def _named(config: OidcProviderConfig) -> dict[str, str]:
    id = config.private_key_id
    if id is None:
        return {}
    if config.type == "entra":  # it knows a key by its certificate alone
        return {"x5t#S256" if len(id) == _SHA256_THUMBPRINT else "x5t": id}
    return {"kid": id}
