import re

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from app.core.credentials import ClientCredentials, UpstreamCredential

MAX_HEADERS = 20
MAX_VALUE = 8_192
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_REFUSED = re.compile(
    r"host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|"
    r"accept|accept-encoding|mcp-.*|a2a-.*|gatepost-.*|"
    r"cookie|origin|referer|forwarded|via|x-forwarded-.*|x-original-url|x-rewrite-url|x-real-ip|"
    r"x-http-method.*|x-method-override|sec-fetch-.*",
    re.IGNORECASE,
)
"""Headers of the connection (RFC 9110, 7.6.1), message, MCP, A2A, proxies: set or stripped by the gateway."""


class CredentialBody(BaseModel):
    """A server's credential: a token, headers by name, or what to get tokens by. Write-only."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    bearer: SecretStr | None = Field(None, description="sent as `Authorization: Bearer …`")
    headers: dict[str, SecretStr] | None = Field(None, description="sent as they are")
    oauth: ClientCredentials | None = Field(None, description="tokens by OAuth client credentials, renewed")

    @field_validator("bearer")
    @classmethod
    def _one_word(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_value("the token", value)
            if " " in value.get_secret_value():
                raise ValueError("the token must be one word, without `Bearer` before it")
        return value

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, SecretStr] | None) -> dict[str, SecretStr] | None:
        if headers is None:
            return None
        if not 0 < len(headers) <= MAX_HEADERS:
            raise ValueError(f"give 1 to {MAX_HEADERS} headers")
        if len({name.lower() for name in headers}) < len(headers):
            raise ValueError("two headers have the same name; names do not depend on case")
        for name, value in headers.items():
            _check_name(name)
            _check_value(f"the value of {name}", value)
        return headers

    @model_validator(mode="after")
    def _one_of_them(self) -> "CredentialBody":
        if [self.bearer, self.headers, self.oauth].count(None) != 2:
            raise ValueError("give one of bearer, headers and oauth")
        return self

    def to_keep(self) -> UpstreamCredential:
        """The credential in the clear, for sealing."""
        if self.bearer is not None:
            return UpstreamCredential({"Authorization": f"Bearer {self.bearer.get_secret_value()}"})
        headers = {name: value.get_secret_value() for name, value in (self.headers or {}).items()}
        return UpstreamCredential(headers, self.oauth)


def _check_name(name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is no header name (RFC 9110, 5.1)")
    if _REFUSED.fullmatch(name):
        raise ValueError(f"{name} is set by the gateway and cannot be a credential")


def _check_value(what: str, value: SecretStr) -> None:
    text = value.get_secret_value()
    if len(text) > MAX_VALUE:
        raise ValueError(f"{what} is longer than {MAX_VALUE} characters")
    if not _VALUE.fullmatch(text):
        raise ValueError(f"{what} must be visible ASCII on one line, without spaces at its ends")
