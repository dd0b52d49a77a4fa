import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress

from app.core.policy import Grants
from app.core.store import Store
from app.registry.search.documents import Kind
from app.registry.search.follower import Follower
from app.registry.search.index import Hit, SearchIndex

KINDS: tuple[Kind, ...] = ("tool", "server")


class Search:
    """Search over the catalogue: one index in a process, in step with the store."""

    def __init__(self, store: Store) -> None:
        self.index = SearchIndex()
        self._follower = Follower(store, self.index)

    async def find(
        self, query: str, grants: Grants, *, kinds: Collection[Kind] = KINDS, limit: int = 10
    ) -> list[Hit]:
        """The best results within these grants, as of the newest policy write. Raises StoreError."""
        await self.catch_up()
        return self.index.search(query, grants, kinds, limit)

    async def catch_up(self) -> None:
        """Bring the index up to the store's newest policy write. Raises StoreError."""
        await self._follower.catch_up()

    async def discovered(self, slug: str) -> None:
        """Take in what discovery just found at a server, at once in this process. Raises StoreError."""
        await self._follower.read_tools(slug)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the store in the background while the context lasts."""
        task = asyncio.create_task(self._follower.run(), name="search follower")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
