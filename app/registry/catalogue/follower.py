import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from app.core.models import ServerEntry, ToolKind, ToolRecord
from app.core.store import Change, Document, Store, StoreError
from app.registry.search.index import SearchIndex

_PAGE = 500
_LOOK_EVERY_S = 5.0
Model = TypeVar("Model", bound=BaseModel)
log = structlog.get_logger(__name__)


class Follower:
    """Keeps a search index in step with the store, whichever process wrote.

    Servers and the states of tools come as numbered changes. What discovery finds is no policy and has no
    number, but each discovery ends by writing the server's `health` document: a new revision of it means
    that the server's tools are read again.
    """

    def __init__(self, store: Store, index: SearchIndex) -> None:
        self._store = store
        self._index = index
        self._number = -1
        self._seen: dict[str, int] = {}
        self._lock = asyncio.Lock()

    async def catch_up(self) -> None:
        """Take in every change up to now; one small query where there is none. Raises StoreError."""
        if await self._store.latest_change() != self._number:
            async with self._lock:
                await self._follow(await self._store.latest_change())

    async def look(self) -> None:
        """Catch up, and read the tools of servers that were discovered anew. Raises StoreError."""
        await self.catch_up()
        async for document in self._all("health"):
            if document.id in self._index.servers and self._seen.get(document.id) != document.revision:
                await self.read_tools(document.id)
                self._seen[document.id] = document.revision

    async def read_tools(self, slug: str) -> None:
        """Take in what discovery just found at a server. Raises StoreError."""
        async with self._lock:  # a block that lands while the pages are read is applied after them
            found = [_parsed(ToolRecord, document) async for document in self._all("tools", {"server": slug})]
            self._index.replace(slug, [tool for tool in found if tool is not None])

    async def run(self) -> None:
        """Look every few seconds until cancelled; a store that cannot be used is tried again."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("the search index may be behind", reason=str(error))
            except Exception:
                log.exception("the search index may be behind")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _follow(self, latest: int) -> None:
        if latest < self._number:  # the store was put back to an older copy
            self._number = -1
        while self._number < latest:
            changes = None if self._number < 0 else await self._store.changes(self._number)
            if not changes:
                await self._load()
                self._number = latest
                return
            for change in changes:
                self._apply(change)
                self._number = change.number

    def _apply(self, change: Change) -> None:
        if change.collection == "servers":
            server = _parsed(ServerEntry, change.document)
            if server is None:
                self._index.remove_server(change.id)
                self._seen.pop(change.id, None)
            else:
                self._index.put_server(server)
        elif change.collection == "tools":
            tool = _parsed(ToolRecord, change.document)
            if tool is None:
                slug, kind, name = change.id.split("/", 2)
                self._index.remove_tool(slug, ToolKind(kind), name)
            else:
                self._index.put_tool(tool)

    async def _load(self) -> None:
        self._seen = {document.id: document.revision async for document in self._all("health")}
        servers = [_parsed(ServerEntry, document) async for document in self._all("servers")]
        found = {server.settings.slug: server for server in servers if server is not None}
        for slug in self._index.servers.keys() - found.keys():
            self._index.remove_server(slug)
        tools: dict[str, list[ToolRecord]] = {slug: [] for slug in found}
        async for document in self._all("tools"):
            tool = _parsed(ToolRecord, document)
            if tool is not None and tool.server in tools:
                tools[tool.server].append(tool)
        for slug, server in found.items():
            self._index.replace(slug, tools[slug])
            self._index.put_server(server)
            await asyncio.sleep(0)  # other requests are answered between two servers

    async def _all(self, collection: str, where: Mapping[str, str] | None = None) -> AsyncIterator[Document]:
        cursor = None
        while True:
            page = await self._store.list(collection, where, limit=_PAGE, cursor=cursor)
            for document in page.items:
                yield document
            cursor = page.next_cursor
            if cursor is None:
                return


def _parsed(model: type[Model], document: Document | None) -> Model | None:
    if document is None:
        return None
    try:
        return model.model_validate(document.body)
    except ValidationError as error:
        log.warning("an unreadable document is not searched", id=document.id, reason=error.errors()[0]["msg"])
        return None
