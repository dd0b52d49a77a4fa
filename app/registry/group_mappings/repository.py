from app.core.groups import COLLECTION, mapping_id
from app.core.store import Document, Page, Store
from app.registry.group_mappings.schemas import GroupMapping

EVERYTHING = frozenset({"*"})
"""Any scope may name any group."""


class MappingRepository:
    """What groups of identity providers count as; every write is in force at all gateways."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, provider: str, group: str) -> Document | None:
        """The mapping of one group; None where it keeps its name."""
        return await self._store.get(COLLECTION, mapping_id(provider, group))

    async def page(self, provider: str | None, limit: int, cursor: str | None) -> Page:
        """Mappings by provider and group; of one provider where it is named."""
        where = {"provider": provider} if provider else None
        return await self._store.list(COLLECTION, where, limit=limit, cursor=cursor)

    async def table(self) -> dict[str, list[str]]:
        """All mappings, as `groups.mapped` takes them."""
        found: dict[str, list[str]] = {}
        cursor = None
        while True:
            page = await self._store.list(COLLECTION, limit=1000, cursor=cursor)
            found.update({document.id: list(document.body["groups"]) for document in page.items})
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def save(self, mapping: GroupMapping, expected: int) -> Document:
        """Raises Conflict where it is at another revision by now."""
        document = await self._store.commit(
            COLLECTION,
            mapping_id(mapping.provider, mapping.group),
            mapping.model_dump(),
            expected=expected,
            affects=EVERYTHING,
        )
        assert document is not None  # noqa: S101  (a body was written)
        return document

    async def delete(self, document: Document, expected: int) -> None:
        """Raises Conflict where it is at another revision by now."""
        await self._store.commit(COLLECTION, document.id, None, expected=expected, affects=EVERYTHING)
