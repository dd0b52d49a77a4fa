"""What an upstream is sent to let Gatepost in, and how it is kept: sealed, under the server's slug."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from app.core.models import Upstream
from app.core.sealing import Sealer

LONGEST = 2_048
_VISIBLE = re.compile(r"[\x20-\x7e]+")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-\"$-~]+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")


class ClientCredentials(BaseModel):
    """How to get an access token for an upstream (RFC 6749, 4.4; `resource` is RFC 8707)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token_url: str = Field(max_length=LONGEST, description="the authorization server's token endpoint")
    client_id: str = Field(max_length=LONGEST)
    client_secret: SecretStr = Field(max_length=LONGEST)
    scope: str | None = Field(None, max_length=LONGEST, description="separated by spaces")
    resource: str | None = Field(None, max_length=LONGEST, description="the URI that the token is for")
    auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"

    @field_validator("token_url")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        Upstream.from_url(value)
        if "#" in value:
            raise ValueError("the URL must not have a fragment")
        return value

    @field_validator("resource")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is not None and not _ABSOLUTE.fullmatch(value):
            raise ValueError("the resource must be an absolute URI without a fragment (RFC 8707, 2)")
        return value

    @field_validator("client_id")
    @classmethod
    def _id_is_visible(cls, value: str) -> str:
        if not _VISIBLE.fullmatch(value):
            raise ValueError("the client id must be visible ASCII")
        return value

    @field_validator("client_secret")
    @classmethod
    def _secret_is_visible(cls, value: SecretStr) -> SecretStr:
        if not _VISIBLE.fullmatch(value.get_secret_value()):
            raise ValueError("the client secret must be visible ASCII")
        return value

    @field_validator("scope")
    @classmethod
    def _scopes(cls, value: str | None) -> str | None:
        if value is not None and not _SCOPE.fullmatch(value):
            raise ValueError("the scope must be words of visible ASCII with one space between them")
        return value


@dataclass(frozen=True)
class UpstreamCredential:
    """Headers to send as they are, or `oauth` to get one by; neither for a server that wants no credential.

    `sealed` is the text that it was opened from: it tells one that was set anew from the one before.
    """

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    oauth: ClientCredentials | None = None
    sealed: str = field(default="", compare=False, repr=False)

    def seal(self, sealer: Sealer, slug: str) -> str:
        """The text to store for a server."""
        kept: dict[str, Any] = {"headers": self.headers}
        if self.oauth is not None:
            secret = self.oauth.client_secret.get_secret_value()
            kept = {"oauth": {**self.oauth.model_dump(exclude_none=True), "client_secret": secret}}
        return sealer.seal(json.dumps(kept).encode(), _context(slug))

    @classmethod
    def open(cls, sealer: Sealer, slug: str, sealed: str) -> "UpstreamCredential":
        """What was sealed for this server. Raises SealError."""
        kept = json.loads(sealer.open(sealed, _context(slug)))
        oauth = kept.get("oauth")
        return cls(
            headers=kept.get("headers", {}),
            oauth=None if oauth is None else ClientCredentials.model_validate(oauth),
            sealed=sealed,
        )


def _context(slug: str) -> str:
    return f"credential/{slug}"
