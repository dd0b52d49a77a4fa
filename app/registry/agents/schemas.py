from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from app.core.models import AgentEntry
from app.core.settings import Settings
from app.core.store import Document
from app.registry.agents.document import written


class AgentFindings(BaseModel):
    """What the registry knows of an agent and its card does not declare."""

    slug: str
    url: str = Field(description="where A2A clients reach it, through the gateway")
    card_url: str = Field(description="its card as clients of the gateway need it")
    enabled: bool
    callable: bool = Field(description="false for an agent without a binding that the gateway carries")
    bindings: list[str] = Field(description="those that the gateway carries")
    revision: int = Field(description="as in the ETag")
    created_at: str
    updated_at: str


class AgentAnswer(BaseModel):
    """An agent's card as it was given, signatures too, with our part in its `_meta`; findings beside it."""

    agent: dict[str, Any]
    gatepost: AgentFindings
    warnings: list[str] = Field([], description="what to know about the change that was just made")

    @classmethod
    def of(cls, settings: Settings, document: Document, warnings: Sequence[str] = ()) -> "AgentAnswer":
        """The answer for a stored agent."""
        entry = AgentEntry.model_validate(document.body)
        url = f"{settings.public_url}/a2a/{document.id}"
        return cls(
            agent=written(entry),
            gatepost=AgentFindings(
                slug=document.id,
                url=url,
                card_url=f"{url}/.well-known/agent-card.json",
                enabled=entry.settings.enabled,
                callable=bool(entry.interfaces),
                bindings=list(entry.interfaces),
                revision=document.revision,
                created_at=entry.created_at,
                updated_at=entry.updated_at,
            ),
            warnings=list(warnings),
        )
