import re
from ipaddress import ip_address
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

SLUG_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
META_KEY = "dev.gatepost/server"
Transport = Literal["streamable-http", "sse"]
"""HTTP transports of MCP, the preferred one first; `sse` is HTTP+SSE of 2024-11-05."""
_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_HOSTNAME = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


class ServerSettings(BaseModel):
    """Our part of a server.json, under `_meta["dev.gatepost/server"]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str = Field(pattern=SLUG_PATTERN)
    enabled: bool = True
    tags: list[str] = []
    connect_timeout_s: float = Field(default=5.0, gt=0, le=60, description="longest wait for a connection")
    timeout_s: float = Field(default=300.0, gt=0, le=86_400, description="longest silence of the upstream")
    total_timeout_s: float | None = Field(default=None, gt=0, le=86_400, description="longest whole call")
    max_body: int | None = Field(default=None, gt=0, description="bytes; never above the gateway's own cap")
    rate_limit: int | None = Field(default=None, gt=0, le=10_000_000, description="calls a minute and caller")
    server_rate_limit: int | None = Field(
        default=None, gt=0, le=10_000_000, description="calls a minute of all callers together"
    )
    concurrency: int | None = Field(default=None, gt=0, description="calls at once of all callers together")
    caller_concurrency: int | None = Field(default=None, gt=0, description="calls at once of one caller")


class Upstream(BaseModel):
    """Where a server's HTTP endpoint is, taken apart once."""

    model_config = ConfigDict(frozen=True)

    scheme: str
    hostname: str
    port: int
    target: str

    @property
    def is_at_address(self) -> bool:
        """Whether the URL names an IP address and no host."""
        try:
            ip_address(self.hostname)
        except ValueError:
            return False
        return True

    @property
    def host(self) -> str:
        """The Host header the upstream expects: no port where it is the scheme's own (RFC 9110, 7.2)."""
        name = f"[{self.hostname}]" if ":" in self.hostname else self.hostname
        return name if self.port == {"http": 80, "https": 443}[self.scheme] else f"{name}:{self.port}"

    @classmethod
    def from_url(cls, url: str) -> "Upstream":
        """Raises ValueError, with the reason, for what is no absolute http or https URL (RFC 3986)."""
        if not _URL.fullmatch(url):
            raise ValueError(f"{url!r} has a character that no URL may have; percent-encode it")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is not an absolute http:// or https:// URL")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a URL must not carry a user name or password; give the credential on its own")
        if not _HOSTNAME.fullmatch(parts.hostname):
            raise ValueError(f"{parts.hostname!r} is no host name")
        if parts.port == 0:
            raise ValueError(f"{url!r} names port 0, where nothing can listen")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(scheme=parts.scheme, hostname=parts.hostname, port=port, target=target)


class ServerEntry(BaseModel):
    """A registered server as stored: the official server.json and our part, nothing that changes alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: dict[str, Any]
    settings: ServerSettings
    created_at: str
    updated_at: str

    @property
    def url(self) -> str | None:
        """Where the server is called; None for one that is stdio only, listed but not callable."""
        remote = self._remote
        return None if remote is None else str(remote["url"])

    @property
    def transport(self) -> Transport:
        """How the server is called at `url`."""
        return "sse" if self._remote is not None and self._remote["type"] == "sse" else "streamable-http"

    @property
    def _remote(self) -> dict[str, Any] | None:
        """The first Streamable HTTP remote, or the first of HTTP+SSE where there is none."""
        remotes: list[dict[str, Any]] = self.document.get("remotes", [])
        for transport in get_args(Transport):
            for remote in remotes:
                if remote.get("type") == transport:
                    return remote
        return None
