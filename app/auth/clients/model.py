from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AuthMethod = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]
SUBJECT = "client:"
"""What the subject of a client that acts for itself begins with, before its id."""


class Client(BaseModel):
    """An OAuth client: registered by an administrator, by itself (RFC 7591), or known by its document (CIMD).

    `groups` are what it may do for itself, by client credentials; `secret_digest` is the SHA-256 of its
    secret; `used_at` is when it last got a token, to the hour, in seconds since the epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str
    kind: Literal["preregistered", "dynamic", "document"]
    name: str
    redirect_uris: list[str] = []
    grant_types: list[GrantType] = ["authorization_code", "refresh_token"]
    auth_method: AuthMethod = "none"
    secret_digest: str | None = Field(None, repr=False)
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    groups: list[str] = []
    client_uri: str | None = None
    created_at: str
    used_at: float | None = None
