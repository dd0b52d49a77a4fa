import asyncio
from collections.abc import AsyncIterator, Sequence

from app.core.models import ServerEntry
from app.core.policy import Grants
from app.core.store import ABSENT, Document, Store

COLLECTION = "servers"


def affects(slug: str) -> frozenset[str]:
    """What gateways decide anew after a change of this server, its credential or a tool's state."""
    return frozenset({f"/mcp/{slug}"})


class ServerRepository:
    """Server entries in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, slug: str) -> Document | None:
        """The document of a server; None where there is none."""
        return await self._store.get(COLLECTION, slug)

    async def visible(
        self, grants: Grants, limit: int, cursor: str | None
    ) -> tuple[Sequence[Document], str | None]:
        """A page of the servers that the grants let a caller see, by slug, and the next page's cursor.

        A cursor never tells of a server that the caller does not see.
        """
        if grants.sees("*"):
            page = await self._store.list(COLLECTION, limit=limit, cursor=cursor)
            return page.items, page.next_cursor
        named = {*grants.servers, *grants.registry}
        slugs = sorted(slug for slug in named if slug > (cursor or "") and grants.sees(slug))
        found = [document async for document in self._first(slugs, limit + 1)]
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    async def create(self, entry: ServerEntry) -> Document:
        """Raises Conflict where the slug is taken."""
        return await self._commit(entry, ABSENT)

    async def replace(self, entry: ServerEntry, expected: int) -> Document:
        """Raises Conflict where it is at another revision by now."""
        return await self._commit(entry, expected)

    async def delete(self, slug: str, expected: int) -> None:
        """Raises Conflict where it is at another revision by now."""
        await self._store.commit(COLLECTION, slug, None, expected=expected, affects=affects(slug))

    async def _commit(self, entry: ServerEntry, expected: int) -> Document:
        slug, body = entry.settings.slug, entry.model_dump(mode="json")
        document = await self._store.commit(COLLECTION, slug, body, expected=expected, affects=affects(slug))
        assert document is not None  # noqa: S101  (a body was written)
        return document

    async def _first(self, slugs: Sequence[str], count: int) -> AsyncIterator[Document]:
        missing = count
        for start in range(0, len(slugs), count):
            for document in await asyncio.gather(*map(self.find, slugs[start : start + count])):
                if document is not None:
                    yield document
                    missing -= 1
                    if missing == 0:
                        return
