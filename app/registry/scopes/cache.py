from collections.abc import Sequence

from app.core.models import Scope
from app.core.store import Store

COLLECTION = "scopes"


class ScopeCache:
    """All scope documents, read again only after a change of policy."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._change = -1
        self._scopes: Sequence[Scope] = ()

    async def current(self) -> Sequence[Scope]:
        """The scopes as of the store's newest change. Raises StoreError."""
        # Asked first: a change that lands while the scopes are read makes the next call read them again.
        change = await self._store.latest_change()
        if change != self._change:
            self._scopes = await self._read()
            self._change = change
        return self._scopes

    async def _read(self) -> Sequence[Scope]:
        scopes: list[Scope] = []
        cursor = None
        while True:
            page = await self._store.list(COLLECTION, limit=1000, cursor=cursor)
            scopes += [Scope.model_validate(document.body) for document in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return scopes
