from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class ToolKind(StrEnum):
    """What a definition is of; a template is a resource template."""

    TOOL = "tool"
    PROMPT = "prompt"
    RESOURCE = "resource"
    TEMPLATE = "template"


class ToolState(StrEnum):
    """`blocked` and `quarantined` definitions are refused by the gateway for every caller."""

    ACTIVE = "active"
    QUARANTINED = "quarantined"
    BLOCKED = "blocked"


class ToolRecord(BaseModel):
    """One definition that a server offers; a resource's name is its URI."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str
    kind: ToolKind
    name: str
    definition: dict[str, Any]
    hash: str
    state: ToolState = ToolState.ACTIVE

    @property
    def id(self) -> str:
        """The id of its document, `slug/kind/name`."""
        return f"{self.server}/{self.kind}/{self.name}"
