from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.models.server import ServerSettings

META_KEY = "dev.gatepost/agent"
JSONRPC, HTTP_JSON = "JSONRPC", "HTTP+JSON"
BINDINGS = (JSONRPC, HTTP_JSON)
"""The bindings of A2A that the gateway carries."""


class AgentSettings(ServerSettings):
    """Our part of an agent, under `_meta["dev.gatepost/agent"]` beside the members of its card."""

    push_notifications: bool = Field(
        default=False, description="callers may name URLs that the agent itself calls"
    )


class AgentInterface(BaseModel):
    """One place where an agent answers (A2A 1.0, AgentInterface)."""

    model_config = ConfigDict(frozen=True)

    url: str
    binding: str
    version: str
    tenant: str = ""


class AgentEntry(BaseModel):
    """A registered agent as stored: the card as it was given, with its signatures, and our part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    card: dict[str, Any]
    settings: AgentSettings
    created_at: str
    updated_at: str

    @property
    def interfaces(self) -> dict[str, AgentInterface]:
        """What the gateway carries, by binding in the card's order: the first of each binding, of A2A 1."""
        found: dict[str, AgentInterface] = {}
        for interface in declared(self.card):
            if interface.binding in BINDINGS and interface.version.split(".")[0] == "1":
                found.setdefault(interface.binding, interface)
        return found


def declared(card: dict[str, Any]) -> Iterator[AgentInterface]:
    """Every interface of a valid card, those that the gateway does not carry too."""
    for given in card["supportedInterfaces"]:
        yield AgentInterface(
            url=given["url"],
            binding=given["protocolBinding"],
            version=given["protocolVersion"],
            tenant=given.get("tenant") or "",
        )


def credential_id(slug: str) -> str:
    """The id of an agent's credential among those of servers, whose slugs have no slash."""
    return f"agent/{slug}"
