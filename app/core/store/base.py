import builtins
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Body = Mapping[str, Any]
KEPT_CHANGES = 10_000
"""How many of the newest changes a store remembers; who fell behind further reads everything anew."""

ABSENT = 0
"""The revision of a document that is not there: `expected=ABSENT` creates and never overwrites."""


class StoreError(Exception):
    """The store cannot be opened or used; the message names it, the reason and the fix."""


class Conflict(StoreError):  # noqa: N818  (the field's own name)
    """The document's revision is not the expected one: somebody else wrote first. Read again, then repeat."""


@dataclass(frozen=True)
class Document:
    """One stored document; its revision starts at 1 and grows by one with each write."""

    id: str
    revision: int
    body: Body


@dataclass(frozen=True)
class Stored:
    """A document with all that a store keeps of it; `expires_at` in milliseconds since the epoch."""

    id: str
    revision: int
    body: Body
    expires_at: int | None


@dataclass(frozen=True)
class Page:
    """Documents in the order of their ids; `next_cursor` is None on the last page."""

    items: list[Document]
    next_cursor: str | None


@dataclass(frozen=True)
class Change:
    """One write to policy. `document` is None for a deletion.

    `affects` names what must be decided anew at the gateways: a resource (`/mcp/ledger`, `/api`),
    a caller (`principal:alice`), or `*`.
    """

    number: int
    collection: str
    id: str
    document: Document | None
    affects: frozenset[str]


Changes = list[Change]
"""Named here, since inside a store `list` is its method."""


class Store(Protocol):
    """All state of Gatepost. Every implementation passes `tests/contract/store.py` unchanged.

    Writes of policy (servers, scopes, tokens, credentials, a tool's state) go through `commit`, which
    numbers them: gateways follow those numbers, and registries news of health too. `put` and `delete` are
    for what nobody must hear of at once: sessions, last use, the time of a look.
    Bodies are JSON objects. Every method raises StoreError where the store cannot be used.
    """

    async def get(self, collection: str, id: str) -> Document | None:
        """The document, or None."""
        ...

    async def list(
        self,
        collection: str,
        where: Mapping[str, str | int | bool | None] | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Documents whose top-level members equal `where`, by id, `limit` a page.

        A member that is absent equals None. Raises ValueError for a member that is no identifier.
        """
        ...

    async def put(
        self,
        collection: str,
        id: str,
        body: Body,
        *,
        expected: int | None = None,
        expires_at: float | None = None,
    ) -> Document:
        """Write one document; its revision grows by one. `expected` None overwrites whatever is there.

        After `expires_at` (seconds since the epoch) it is gone for readers. Raises Conflict.
        """
        ...

    async def put_new(
        self, collection: str, bodies: Mapping[str, Body], *, expires_at: float | None = None
    ) -> int:
        """Write many, by id, and leave alone what is there already; how many were new.

        Safe to repeat: after an error some may be written. What was answered survives a loss of power.
        """
        ...

    async def delete(self, collection: str, id: str, *, expected: int | None = None) -> bool:
        """Whether something was deleted. Raises Conflict."""
        ...

    async def commit(
        self,
        collection: str,
        id: str,
        body: Body | None,
        *,
        expected: int | None = None,
        affects: Iterable[str] = (),
        expires_at: float | None = None,
    ) -> Document | None:
        """Write (or, with body None, delete) one document of policy and number the change. Raises Conflict.

        Deleting what is not there is no change.
        """
        ...

    async def latest_change(self) -> int:
        """The number of the newest change; 0 for none. Numbers have no gaps."""
        ...

    async def changes(self, since: int, limit: int = 1000) -> Changes | None:
        """Changes after `since`, oldest first; None where that is unknown: forgotten, or never reached."""
        ...

    async def acquire(self, lease: str, holder: str, seconds: float) -> bool:
        """Take or renew a lease; one holder at a time, whatever number of processes ask."""
        ...

    async def release(self, lease: str, holder: str) -> None:
        """Give a lease back; nothing happens to another holder's."""
        ...

    async def take(self, collection: str, id: str) -> Document | None:
        """Read and delete in one step: among many takers one gets it (single-use codes)."""
        ...

    async def collections(self) -> builtins.list[str]:
        """The names of all collections that have documents, and perhaps of some that have none."""
        ...

    async def dump(self, collection: str, after: str | None, limit: int) -> builtins.list[Stored]:
        """Documents after an id, in the order of ids, as `load` takes them."""
        ...

    async def load(self, collection: str, stored: Iterable[Stored]) -> None:
        """Write documents as they were elsewhere, over whatever is there; no changes. Safe to repeat."""
        ...

    async def restart_changes(self, number: int) -> None:
        """Let the order of changes begin after `number` with one that affects everything.

        Who followed the changes of another store up to there, or less far, reads everything anew. Nothing
        happens where there are changes.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun, then let go of the store."""
        ...


def milliseconds(seconds: float | None) -> int | None:
    """Whole milliseconds, never earlier; the digits that a float makes up do not count."""
    return None if seconds is None else max(0, math.ceil(round(seconds * 1000, 3)))
