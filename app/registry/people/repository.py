from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.core.store import Document, Store

COLLECTION = "people"
_PAGE = 1000


@dataclass(frozen=True)
class Person:
    """Somebody who logged in here once; `groups` are the provider's own names, `name` may be empty."""

    subject: str
    provider: str
    name: str
    groups: list[str]


class PeopleRepository:
    """The people that the auth server recorded."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, subject: str) -> Person | None:
        """The person with that subject; None for somebody who never logged in."""
        found = await self._store.get(COLLECTION, subject)
        return None if found is None else _person(found)

    async def all(self) -> AsyncIterator[Person]:
        """Everybody, by subject."""
        cursor = None
        while True:
            page = await self._store.list(COLLECTION, limit=_PAGE, cursor=cursor)
            for document in page.items:
                yield _person(document)
            cursor = page.next_cursor
            if cursor is None:
                return


def _person(document: Document) -> Person:
    body = document.body
    return Person(
        str(body["subject"]), str(body["provider"]), str(body.get("name") or ""), list(body["groups"])
    )
