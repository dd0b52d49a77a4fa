from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcp import MCPError
from mcp_types import METHOD_NOT_FOUND

from app.core.sound_json import fault
from app.registry.discovery.limits import MAX_DEFINITIONS, MAX_PAGES


@dataclass
class Listed:
    """All definitions of one kind, as the server wrote them; `note` says why some may be missing."""

    definitions: list[dict[str, Any]] = field(default_factory=list)
    note: str | None = None


async def all_pages(
    method: str, ask: Callable[[str | None], Awaitable[Any]], items: Callable[[Any], Sequence[Any]]
) -> Listed:
    """Every page of a list, however the server ends it.

    A cursor that comes twice would go round for ever, so the walk stops there; a method that the server does
    not know is an empty list. Raises MCPError for any other error.
    """
    listed = Listed()
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        try:
            page = await ask(cursor)
        except MCPError as error:
            if error.error.code == METHOD_NOT_FOUND and cursor is None:
                return listed
            raise
        definitions = [_definition(item) for item in items(page)]
        sound = [definition for definition in definitions if fault(definition) is None]
        if len(sound) < len(definitions):
            listed.note = f"{method} has entries that cannot be kept, for one: {_first_fault(definitions)}"
        listed.definitions += sound
        cursor = page.next_cursor
        if cursor is None:
            return listed
        if cursor in seen:
            listed.note = f"{method} gives the same cursor twice; its pages were read up to there"
            return listed
        seen.add(cursor)
        if len(seen) >= MAX_PAGES or len(listed.definitions) >= MAX_DEFINITIONS:
            listed.note = f"{method} does not end; its first {len(listed.definitions)} entries were read"
            return listed


def _first_fault(definitions: Iterable[Any]) -> str:
    return next(filter(None, map(fault, definitions)), "")


def _definition(item: Any) -> dict[str, Any]:
    # What was not sent must not appear, and a null that was sent must stay: the hash covers both.
    definition: dict[str, Any] = item.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return definition
