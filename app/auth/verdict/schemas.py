from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.models import Transport

Refusal = Literal["disabled", "stdio_only", "no_interface", "unresolved", "token_endpoint"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Wider(_Part):
    """A scope of the caller's groups that the token lacks, and its rights at this resource."""

    scope: str
    rights: dict[str, list[str]]


class CallerPart(_Part):
    """Who calls and what of this resource they may use; the half of a verdict that is the caller's.

    `scopes` and `wider` are of a token whose client can ask for more (RFC 6750, 3.1: insufficient_scope).
    """

    subject: str
    client: str
    principal: str
    rights: dict[str, list[str]]
    scopes: list[str] = []
    wider: list[Wider] = []
    identity: str | None = Field(repr=False)
    expires_at: int


class UpstreamPart(_Part):
    """Where the gateway connects to: checked addresses only, never a name to resolve."""

    scheme: str
    host: str
    sni: str
    target: str
    addresses: list[str]
    connect_timeout_ms: int
    read_timeout_ms: int
    total_timeout_ms: int | None = None
    transport: Transport = "streamable-http"


class Limits(_Part):
    """What a server takes: calls a minute and calls at once, of one caller and of all; None is no limit."""

    caller_rate: int | None = None
    server_rate: int | None = None
    caller_concurrency: int | None = None
    server_concurrency: int | None = None


class Blocked(_Part):
    """Names that nobody may use now, by kind; templates are among the resources."""

    tool: list[str] = []
    prompt: list[str] = []
    resource: list[str] = []


class ServerPart(_Part):
    """How the gateway reaches a resource; the half of a verdict that is the same for every caller.

    `headers` carry the upstream's credential and are in no representation of this object.
    """

    slug: str
    identity: bool
    upstream: UpstreamPart | None
    refusal: Refusal | None = None
    refusal_detail: str | None = None
    headers: dict[str, str] = Field(default={}, repr=False)
    blocked: Blocked = Blocked()
    limits: Limits | None = None
    max_body: int | None = None
    expires_at: int


class InterfacePart(_Part):
    """Where one binding of an agent is reached; `tenant` is the only one that callers may name."""

    upstream: UpstreamPart
    tenant: str


class AgentPart(ServerPart):
    """The half of a verdict that is an agent's: its interfaces by binding in place of one upstream."""

    interfaces: dict[str, InterfacePart] = {}
    push_notifications: bool = False


class Verdict(_Part):
    """The answer to the gateway: true as of change number `epoch`; times in seconds since the Unix epoch."""

    epoch: int
    caller: CallerPart
    server: AgentPart | ServerPart | None


class Refused(_Part):
    """Why a credential is none (RFC 6750, 3.1)."""

    error: Literal["invalid_token"] = "invalid_token"
    reason: str
