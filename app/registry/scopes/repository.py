import asyncio
from collections.abc import Sequence

from app.core.models import Scope
from app.core.policy import affected_by_scope
from app.core.store import ABSENT, Document, Store
from app.registry.scopes.cache import COLLECTION


class ScopeRepository:
    """Scope documents in the store; every write is in force at the gateways it concerns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, name: str) -> Document | None:
        """The document of a scope; None where there is none."""
        return await self._store.get(COLLECTION, name)

    async def page(self, limit: int, cursor: str | None) -> tuple[Sequence[Document], str | None]:
        """Scopes by name, and the next page's cursor."""
        page = await self._store.list(COLLECTION, limit=limit, cursor=cursor)
        return page.items, page.next_cursor

    async def create(self, scope: Scope) -> Document:
        """Raises Conflict where the name is taken."""
        return await self._commit(None, scope, ABSENT)

    async def replace(self, before: Scope, scope: Scope, expected: int) -> Document:
        """Raises Conflict where it is at another revision by now."""
        return await self._commit(before, scope, expected)

    async def delete(self, scope: Scope, expected: int) -> None:
        """Raises Conflict where it is at another revision by now."""
        affects = affected_by_scope(scope, None)
        await self._store.commit(COLLECTION, scope.name, None, expected=expected, affects=affects)

    async def missing_servers(self, slugs: Sequence[str]) -> list[str]:
        """Which of these slugs no server has."""
        return await self._missing("servers", slugs)

    async def missing_agents(self, slugs: Sequence[str]) -> list[str]:
        """Which of these slugs no agent has."""
        return await self._missing("agents", slugs)

    async def _missing(self, collection: str, slugs: Sequence[str]) -> list[str]:
        found = await asyncio.gather(*(self._store.get(collection, slug) for slug in slugs))
        return [slug for slug, document in zip(slugs, found, strict=True) if document is None]

    async def _commit(self, before: Scope | None, after: Scope, expected: int) -> Document:
        affects = affected_by_scope(before, after)
        document = await self._store.commit(
            COLLECTION, after.name, after.model_dump(mode="json"), expected=expected, affects=affects
        )
        assert document is not None  # noqa: S101  (a body was written)
        return document
