from collections.abc import Collection

from app.core.policy import Grants
from app.registry.catalogue.follower import Follower
from app.registry.search.documents import Kind
from app.registry.search.index import Hit, SearchIndex

KINDS: tuple[Kind, ...] = ("tool", "server")


class Search:
    """Search over the catalogue: one index in a process, in step with the store."""

    def __init__(self, follower: Follower, index: SearchIndex) -> None:
        self._follower = follower
        self._index = index

    async def find(
        self, query: str, grants: Grants, *, kinds: Collection[Kind] = KINDS, limit: int = 10
    ) -> list[Hit]:
        """The best results within these grants, as of the newest policy write. Raises StoreError."""
        await self._follower.catch_up()
        return self._index.search(query, grants, kinds, limit)
