"""What the registry's MCP tools answer; the descriptions are read by agents."""

from typing import Literal

from pydantic import BaseModel, Field

from app.registry.catalogue.overviews import Catalogue, ServerOverview
from app.registry.search.index import Hit

State = Literal["healthy", "unreachable", "credential_expired", "unknown"]
_REFUSAL = "why you cannot call it now, and what would help; null if you can"
_MCP_URL = "the address to connect an MCP client to; null if not callable"


class FoundTool(BaseModel):
    """A tool that fits the query."""

    tool: str = Field(description="the name to call it by, at mcp_url")
    server: str
    title: str
    description: str
    score: float = Field(description="0 to 1, comparable across queries; above 0.5 is a good match")
    mcp_url: str | None = Field(description=_MCP_URL)
    refusal: str | None = Field(description=_REFUSAL)

    @classmethod
    def of(cls, hit: Hit, catalogue: Catalogue) -> "FoundTool":
        """A search result as it is told to an agent."""
        found = hit.found
        return cls(
            tool=found.name,
            server=found.server,
            title=found.title,
            description=found.description,
            score=hit.score,
            mcp_url=catalogue.url(found.server) if hit.refusal is None else None,
            refusal=hit.refusal,
        )


class FoundTools(BaseModel):
    """Tools by fit, best first."""

    mode: Literal["keyword"] = Field("keyword", description="how they were ranked: by words in common")
    tools: list[FoundTool]
    note: str | None = Field(description="what to try when nothing fits")


class ListedServer(BaseModel):
    """A server in a few words."""

    server: str
    title: str
    description: str
    state: State
    tools: int = Field(description="how many of its tools you may see")
    mcp_url: str | None = Field(description=_MCP_URL)
    refusal: str | None = Field(description=_REFUSAL)

    @classmethod
    def of(cls, seen: ServerOverview) -> "ListedServer":
        """A server as it is told to an agent."""
        return cls.model_validate(_common(seen) | {"tools": len(seen.tools)})


class ListedServers(BaseModel):
    """Every server you may see, by name."""

    servers: list[ListedServer]


class ServerStatus(BaseModel):
    """One server, whether it is up, and its tools."""

    server: str
    title: str
    description: str
    state: State
    reason: str = Field(description="what the last check found; empty if nothing is wrong")
    checked_at: str | None = Field(description="when that was, ISO 8601; null if never")
    tools: list[str] = Field(description="names of its tools that you may see")
    mcp_url: str | None = Field(description=_MCP_URL)
    refusal: str | None = Field(description=_REFUSAL)

    @classmethod
    def of(cls, seen: ServerOverview) -> "ServerStatus":
        """A server's status as it is told to an agent."""
        extra = {"reason": seen.reason, "checked_at": seen.checked_at, "tools": list(seen.tools)}
        return cls.model_validate(_common(seen) | extra)


def _common(seen: ServerOverview) -> dict[str, object]:
    return {
        "server": seen.slug,
        "title": seen.title,
        "description": seen.description,
        "state": seen.state,
        "mcp_url": seen.mcp_url if seen.refusal is None else None,
        "refusal": seen.refusal,
    }
