from typing import Any

from pydantic import BaseModel

from app.core.models import ToolKind, ToolRecord, ToolState
from app.core.policy import Grants

_METHODS = {
    ToolKind.TOOL: ("tools/list", "tools/call"),
    ToolKind.PROMPT: ("prompts/list", "prompts/get"),
    ToolKind.RESOURCE: ("resources/list", "resources/read"),
    ToolKind.TEMPLATE: ("resources/templates/list", "resources/read"),
}


class ToolAnswer(BaseModel):
    """One definition that a server offers, as the server wrote it; `hash` is its SHA-256."""

    kind: ToolKind
    name: str
    state: ToolState
    hash: str
    definition: dict[str, Any]

    @classmethod
    def of(cls, record: ToolRecord) -> "ToolAnswer":
        """The answer for a record."""
        return cls(
            kind=record.kind,
            name=record.name,
            state=record.state,
            hash=record.hash,
            definition=record.definition,
        )


def sees(grants: Grants, record: ToolRecord) -> bool:
    """Whether a caller may see a definition: it may be listed or used, or the server read at the registry."""
    if grants.may("servers:read", record.server):
        return True
    rights = grants.on_server(record.server)
    return any({record.name, "*"} & rights.get(method, frozenset()) for method in _METHODS[record.kind])
