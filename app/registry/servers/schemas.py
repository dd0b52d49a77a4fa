from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from app.core.models import ServerEntry, ToolKind
from app.core.settings import Settings
from app.core.store import Document
from app.registry.discovery.health import Health, HealthState
from app.registry.servers.document import written


class HealthSummary(BaseModel):
    """The health of a server in a list."""

    state: HealthState
    reason: str | None
    checked_at: str | None
    era: str | None

    @classmethod
    def of(cls, health: Health) -> "HealthSummary":
        """The summary of a health document."""
        return cls(state=health.state, reason=health.reason, checked_at=health.checked_at, era=health.era)


class Findings(BaseModel):
    """What the registry knows of a server and nobody declares."""

    slug: str
    url: str = Field(description="where MCP clients reach it, through the gateway")
    enabled: bool
    callable: bool = Field(description="false for a server without an HTTP endpoint")
    health: HealthSummary
    tools: int = Field(description="how many tools it offers")
    revision: int = Field(description="as in the ETag")
    created_at: str
    updated_at: str


class ServerAnswer(BaseModel):
    """A server.json with our part in its `_meta`, and beside it what the registry found out."""

    server: dict[str, Any]
    gatepost: Findings
    warnings: list[str] = Field([], description="what to know about the change that was just made")

    @classmethod
    def of(
        cls, settings: Settings, document: Document, health: Health, warnings: Sequence[str] = ()
    ) -> "ServerAnswer":
        """The answer for a stored server."""
        entry = ServerEntry.model_validate(document.body)
        return cls(
            server=written(entry),
            gatepost=Findings(
                slug=document.id,
                url=f"{settings.public_url}/mcp/{document.id}",
                enabled=entry.settings.enabled,
                callable=entry.url is not None,
                health=HealthSummary.of(health),
                tools=health.counts.get(ToolKind.TOOL, 0),
                revision=document.revision,
                created_at=entry.created_at,
                updated_at=entry.updated_at,
            ),
            warnings=list(warnings),
        )
