from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import time

from app.core.audit_line import Event, ended
from app.core.store import Document, Store

COLLECTION = "audit_events"
INDEXED = ("subject", "server")
"""The members by which the store itself chooses; it has an index on each."""
PAGE = 500
SCANNED = 10_000
"""Events looked at for one page of answers: one that asks for what is rare must not hold up the others."""
_FAR_MS = 10**14


@dataclass(frozen=True)
class Wanted:
    """What to list: events whose members equal `members`, that ended between `since` and `until`."""

    members: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None


class AuditEvents:
    """Audit events in the store, each under an id that starts with its time: the newest come first."""

    def __init__(self, store: Store, keep_days: int) -> None:
        self._store = store
        self._keep_s = keep_days * 86_400.0

    async def add(self, events: Iterable[Event]) -> int:
        """Keep those that are not there yet; how many that were. The same request is the same event."""
        bodies = {f"{_place(ended(event))}-{event['request_id']}": event for event in events}
        return await self._store.put_new(COLLECTION, bodies, expires_at=time() + self._keep_s)

    async def page(self, wanted: Wanted, limit: int, cursor: str | None) -> tuple[list[Document], str | None]:
        """The newest events that are wanted, and the cursor for more.

        A page is short, or empty, with a cursor where much had to be passed over.
        """
        exact = {name: value for name, value in wanted.members.items() if name in INDEXED}
        rest = {name: value for name, value in wanted.members.items() if name not in INDEXED}
        oldest = _place(wanted.since.timestamp()) if wanted.since else None
        after = max(cursor or "", _place(wanted.until.timestamp()) if wanted.until else "") or None
        found: list[Document] = []
        for _ in range(SCANNED // PAGE):
            page = await self._store.list(COLLECTION, exact, limit=PAGE, cursor=after)
            for document in page.items:
                if oldest and document.id[: len(oldest)] > oldest:
                    return found, None
                if all(document.body.get(name) == value for name, value in rest.items()):
                    if len(found) == limit:
                        return found, found[-1].id
                    found.append(document)
            after = page.next_cursor
            if after is None:
                return found, None
        return found, after


def _place(moment: float) -> str:
    """Later moments come first in the order of ids."""
    return f"{max(0, _FAR_MS - int(moment * 1000)):015d}"
