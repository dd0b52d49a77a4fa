from app.core.models import ServerEntry
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
