from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

WILDCARD = "*"


class _Grant(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerGrant(_Grant):
    """What a scope allows on one MCP server; `*` is the one wildcard, in every member.

    `tools`, `prompts` and `resources` (URIs) narrow the methods that name one:
    `tools/list` and `tools/call` reach the named tools only.
    """

    server: str
    methods: list[str]
    tools: list[str] = []
    prompts: list[str] = []
    resources: list[str] = []


class AgentGrant(_Grant):
    """What a scope allows on one A2A agent: `read` (its card), `invoke` (all else), or `*`."""

    agent: str
    actions: list[str]


class RegistryGrant(_Grant):
    """What a scope allows at the registry's own API, e.g. `servers:read`, for the servers and agents named.

    Where only one of both is named, the other is all too if it is `*`, and none otherwise: a grant on one
    server is none on every agent.
    """

    actions: list[str]
    servers: list[str] = [WILDCARD]
    agents: list[str] = [WILDCARD]

    @model_validator(mode="before")
    @classmethod
    def _narrow_both(cls, given: Any) -> Any:
        if isinstance(given, dict):
            for named, other in (("servers", "agents"), ("agents", "servers")):
                if isinstance(given.get(named), list) and other not in given and WILDCARD not in given[named]:
                    return {**given, other: []}
        return given


class Scope(_Grant):
    """A scope document: grants by group, the one rule of who may see and use what.

    The group `*` is every caller with a valid credential.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._:-]{0,62}$")
    description: str = ""
    groups: list[str]
    servers: list[ServerGrant] = []
    agents: list[AgentGrant] = []
    registry: list[RegistryGrant] = []
