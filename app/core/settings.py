import os
import re
from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from app.core.loopback import is_loopback
from app.core.models.identity_provider import ProviderConfig, parse_providers
from app.core.proxy import Proxy
from app.core.secret_files import SecretFile
from app.core.settings_environment import PREFIX, SettingsError, as_settings_error, read_environment, variable

__all__ = ["PREFIX", "Settings", "SettingsError", "load_settings"]


def _by_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _plain_origin(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[a-z0-9.:\[\]_-]+", value):
        raise ValueError(f"{value!r} is not an origin as browsers send it, such as https://app.example.com")
    return value


Port = Annotated[int, Field(ge=1, le=65535)]
Origins = Annotated[list[Annotated[str, AfterValidator(_plain_origin)]], BeforeValidator(_by_commas)]
Names = Annotated[list[str], BeforeValidator(_by_commas)]
Networks = Annotated[list[IPv4Network | IPv6Network], BeforeValidator(_by_commas)]


class Settings(BaseModel):
    """Every setting of Gatepost, once. `gatepost settings` prints this class as a table."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    public_url: str = Field("http://127.0.0.1:8080", description="the address users reach the gateway at")
    state_dir: Path = Field(Path(".gatepost"), description="keys, the SQLite store, logs and NGINX's prefix")
    gateway_host: str = Field("127.0.0.1", description="the address NGINX listens on")
    gateway_port: Port = Field(8080, description="the port NGINX listens on")
    allowed_origins: Origins = Field(
        [], description="origins of other sites whose pages may call MCP servers with a token, by commas"
    )
    trusted_proxies: Networks = Field(
        [], description="networks of load balancers whose X-Forwarded-For names the client, by commas"
    )
    gateway_workers: int = Field(0, ge=0, description="NGINX worker processes; 0 is one a core")
    tls_certificate_file: Path | None = Field(
        None, description="PEM chain; with it the gateway speaks TLS and HTTP/2"
    )
    tls_key_file: Path | None = Field(None, description="PEM key of tls_certificate_file")
    auth_host: str = Field("127.0.0.1", description="where the auth server listens and the gateway finds it")
    auth_port: Port = Field(8081, description="the auth server's port for login and metadata")
    auth_internal_port: Port = Field(8082, description="the auth server's port for the gateway alone")
    registry_host: str = Field("127.0.0.1", description="where the registry listens and the gateway finds it")
    registry_port: Port = Field(8083, description="the registry's port")
    metrics_host: str = Field("127.0.0.1", description="where the gateway serves /metrics for Prometheus")
    metrics_port: Port = Field(8084, description="the port of /metrics")
    gateway_secret: SecretStr | None = Field(None, description="shared by gateway, auth and registry")
    sealing_keys: SecretStr | None = Field(
        None, description="base64 keys of 32 bytes, by commas; the first seals, all open"
    )
    mongodb_uri: SecretStr | None = Field(
        None, description="mongodb:// or mongodb+srv:// address of MongoDB or DocumentDB; default: SQLite"
    )
    mongodb_username: str | None = Field(None, description="the user, where the URI has none")
    mongodb_password: SecretStr | None = Field(
        None, description="the user's password, where the URI has none"
    )
    mongodb_collection_prefix: str = Field(
        "",
        pattern="^[A-Za-z0-9_]{0,32}$",
        description="before the name of each collection",
    )
    admin_username: str = Field("admin", description="the local administrator")
    admin_password: SecretStr | None = Field(None, description="set at the first start only")
    identity_providers: SecretStr | None = Field(
        None, description="JSON list of where people log in, see docs/providers; default: the local one alone"
    )
    session_idle_minutes: int = Field(120, ge=1, description="a browser session ends after this long unused")
    session_hours: int = Field(12, ge=1, description="a browser session ends after this long in any case")
    access_token_ttl_s: int = Field(
        900, ge=10, le=3600, description="life of an OAuth access token, in seconds"
    )
    refresh_token_days: int = Field(
        30, ge=1, description="an OAuth client that does not refresh for this long must log in again"
    )
    token_max_days: int = Field(
        365, ge=0, le=3650, description="longest life of a personal token, in days; 0 is no limit"
    )
    max_body: int = Field(4 * 1024 * 1024, gt=0, description="largest request body, in bytes")
    verdict_ttl_s: int = Field(
        300, ge=1, le=300, description="longest life of a decision at a gateway, in seconds"
    )
    upstream_networks: Networks = Field(
        [], description="private networks that upstreams may be in, by commas; metadata addresses never are"
    )
    upstream_ca_file: Path | None = Field(
        None, description="PEM bundle of the CAs of upstreams; default: the system's"
    )
    outbound_proxy: SecretStr | None = Field(
        None, description="http://host:port, for auth and registry alone"
    )
    no_proxy: Names = Field([], description="hosts, domains and networks reached without it, by commas")
    audit_file: Path | None = Field(
        None, description="one JSON line a call; default: logs/audit.jsonl in the state folder"
    )
    audit_retention_days: int = Field(
        90, ge=1, description="how long the registry keeps audit events, in days"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )

    _files: dict[str, SecretFile] = PrivateAttr(default_factory=dict)

    @cached_property
    def audit_path(self) -> Path:
        """Where the gateway writes its audit log."""
        return self.audit_file or self.state_dir / "logs" / "audit.jsonl"

    @cached_property
    def providers(self) -> list[ProviderConfig]:
        """Where people log in, in the order of the login page."""
        return parse_providers(self.secret("identity_providers"))

    @cached_property
    def is_local(self) -> bool:
        """Whether users reach the gateway on their own machine alone."""
        return is_loopback(urlsplit(self.public_url).hostname or "")

    def secret(self, name: str) -> str | None:
        """A secret setting's value, by its field name; a file is read again when it changed."""
        if name in self._files:
            return self._files[name].read()
        value: SecretStr | None = getattr(self, name)
        return None if value is None else value.get_secret_value()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """The settings that these variables give. Raises SettingsError."""
        secrets = {name for name, field in cls.model_fields.items() if field.annotation == SecretStr | None}
        values, files = read_environment(environ, cls.model_fields, secrets)
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise as_settings_error(error) from None
        settings._files.update(files)  # noqa: SLF001  (of its own instance)
        try:
            _ = settings.providers
        except ValueError as error:
            raise SettingsError(f"{variable('identity_providers')}: {error}") from None
        return settings

    @field_validator("public_url")
    @classmethod
    def _origin_that_is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ValueError(f"{value!r} is not an http:// or https:// address")
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ValueError(
                f"{value!r} has a path; the gateway serves a host of its own, e.g. https://{parts.netloc}"
            )
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError(f"{value!r} is plain http and not on loopback; use https://{parts.netloc}")
        return value.rstrip("/")

    @field_validator("outbound_proxy")
    @classmethod
    def _usable_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Proxy.parse(value.get_secret_value())
        return value

    @field_validator("mongodb_uri")
    @classmethod
    def _address_of_mongodb(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("it is no mongodb:// or mongodb+srv:// address")
        return value

    @model_validator(mode="after")
    def _both_tls_files(self) -> Self:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            given, missing = "tls_certificate_file", "tls_key_file"
            if self.tls_certificate_file is None:
                given, missing = missing, given
            raise ValueError(f"{variable(given)} needs {variable(missing)} beside it; set both or neither")
        return self


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment gives. Raises SettingsError, which names the variable and the fix."""
    return Settings.from_environ(environ)
