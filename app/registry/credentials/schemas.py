import re

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

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
    """A server's credential: either `bearer`, a token, or `headers`, by name. Write-only."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    bearer: SecretStr | None = Field(None, description="sent as `Authorization: Bearer …`")
    headers: dict[str, SecretStr] | None = Field(None, description="sent as they are")

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
    def _one_of_both(self) -> "CredentialBody":
        if (self.bearer is None) == (self.headers is None):
            raise ValueError("give either bearer or headers")
        return self

    def to_send(self) -> dict[str, str]:
        """The headers in the clear, for sealing."""
        if self.bearer is not None:
            return {"Authorization": f"Bearer {self.bearer.get_secret_value()}"}
        return {name: value.get_secret_value() for name, value in (self.headers or {}).items()}


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
