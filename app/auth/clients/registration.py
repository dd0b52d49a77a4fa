"""Dynamic registration (RFC 7591): a client makes itself known, for as long as it is used."""

import secrets
import time
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from app.auth.clients.client_metadata import ClientMetadata
from app.auth.clients.model import AuthMethod, Client, GrantType
from app.auth.clients.service import CLIENTS, secret_digest
from app.core.store import ABSENT, Store

UNUSED_LIFE_S = 86_400
"""How long a client that has registered may take until its first token."""


class Registered(BaseModel):
    """The answer (RFC 7591, 3.2.1), with the metadata as it is in force; the secret is shown here alone."""

    client_id: str
    client_id_issued_at: int
    client_secret: str | None = Field(None, repr=False)
    client_secret_expires_at: int | None = None
    client_name: str
    redirect_uris: list[str]
    grant_types: list[GrantType]
    response_types: list[str] = ["code"]
    token_endpoint_auth_method: AuthMethod
    application_type: str | None = None
    jwks: dict[str, object] | None = None
    jwks_uri: str | None = None
    client_uri: str | None = None


def new_secret() -> str:
    """A client secret with 256 random bits."""
    return secrets.token_urlsafe(32)


async def register(store: Store, metadata: ClientMetadata) -> Registered:
    """Keep a new client that describes itself so."""
    method = metadata.token_endpoint_auth_method or "client_secret_basic"
    secret = new_secret() if method.startswith("client_secret_") else None
    now = datetime.now(UTC)
    keys = method == "private_key_jwt"
    client = Client(
        client_id=secrets.token_urlsafe(16),
        kind="dynamic",
        name=metadata.client_name or "a client without a name",
        redirect_uris=metadata.redirect_uris,
        grant_types=metadata.grant_types,
        auth_method=method,
        secret_digest=None if secret is None else secret_digest(secret),
        jwks=metadata.jwks if keys else None,
        jwks_uri=metadata.jwks_uri if keys else None,
        client_uri=metadata.client_uri,
        created_at=now.isoformat(),
    )
    ends = time.time() + UNUSED_LIFE_S
    body = client.model_dump(mode="json")
    await store.put(CLIENTS, client.client_id, body, expected=ABSENT, expires_at=ends)
    return Registered(
        client_id=client.client_id,
        client_id_issued_at=int(now.timestamp()),
        client_secret=secret,
        client_secret_expires_at=None if secret is None else 0,
        client_name=client.name,
        redirect_uris=client.redirect_uris,
        grant_types=client.grant_types,
        token_endpoint_auth_method=method,
        application_type=metadata.application_type,
        jwks=client.jwks,
        jwks_uri=client.jwks_uri,
        client_uri=client.client_uri,
    )
