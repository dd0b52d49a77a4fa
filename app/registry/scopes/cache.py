from collections.abc import Sequence

from app.core.models import Scope
from app.core.store import Store

COLLECTION = "scopes"


class ScopeCache:
    """All scope documents, read again only after one of them was changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._change = -1
        self._scopes: Sequence[Scope] = ()

    async def current(self) -> Sequence[Scope]:
        """The scopes as of the store's newest change. Raises StoreError."""
        # Asked first: a change that lands while the scopes are read makes the next call read them again.
        newest = await self._store.latest_change()
        if newest != self._change:
            if await self._changed(newest):
                self._scopes = await self._read()
            self._change = newest
        return self._scopes

    async def _changed(self, newest: int) -> bool:
        changes = await self._store.changes(self._change) if self._change >= 0 else None
        if not changes or changes[-1].number < newest:
            return True
        return any(change.collection == COLLECTION for change in changes)

    async def _read(self) -> Sequence[Scope]:
        scopes: list[Scope] = []
        cursor = None
        while True:
            page = await self._store.list(COLLECTION, limit=1000, cursor=cursor)
            scopes += [Scope.model_validate(document.body) for document in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return scopes
