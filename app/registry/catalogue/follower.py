import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from app.core.models import ServerEntry, ToolKind, ToolRecord
from app.core.store import Change, Document, Store, StoreError
from app.registry.catalogue.known import KnownServers
from app.registry.discovery.health import Health
from app.registry.search.index import SearchIndex

_PAGE = 500
_LOOK_EVERY_S = 5.0
Model = TypeVar("Model", bound=BaseModel)
log = structlog.get_logger(__name__)


class Follower:
    """Keeps what is in memory of servers and their tools in step with the store, whichever process wrote.

    Servers, the states of tools and news of a server's health come as numbered changes. What discovery finds
    is no policy and has no number, but each discovery ends by writing the server's `health` document: a new
    revision of it means that the server's tools are read again.
    """

    def __init__(self, store: Store, servers: KnownServers, index: SearchIndex) -> None:
        self._store = store
        self._servers = servers
        self._index = index
        self._number = -1
        self._seen: dict[str, int] = {}
        self._newer: set[str] = set()
        self._lock = asyncio.Lock()

    async def catch_up(self) -> None:
        """Take in every change up to now; one small query where there is none. Raises StoreError."""
        if await self._store.latest_change() != self._number:
            async with self._lock:
                await self._follow(await self._store.latest_change())

    async def look(self) -> None:
        """Catch up, and read what has no number: the rest of health, and tools that were discovered anew.

        Raises StoreError.
        """
        await self.catch_up()
        self._newer.clear()
        async for document in self._all("health"):
            slug, revision = document.id, document.revision
            if slug in self._newer:  # more was heard since this reading began; the next one sees to it
                continue
            if slug in self._index.servers and self._seen.get(slug) != revision:
                self._put_health(slug, document)
                await self._read_tools(slug)
                if slug not in self._newer:
                    self._seen[slug] = revision

    async def discovered(self, health: Document) -> None:
        """Take in what discovery just found at a server, at once in this process. Raises StoreError."""
        await self._read_tools(health.id)
        self._put_health(health.id, health)
        self._newer.add(health.id)
        self._seen[health.id] = health.revision

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Look every few seconds while the context lasts; a store that cannot be used is tried again."""
        task = asyncio.create_task(self._run(), name="follower of the catalogue")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("lists and search may be behind", reason=str(error))
            except Exception:
                log.exception("lists and search may be behind")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _read_tools(self, slug: str) -> None:
        async with self._lock:  # a block that lands while the pages are read is applied after them
            found = [_parsed(ToolRecord, document) async for document in self._all("tools", {"server": slug})]
            self._index.replace(slug, [tool for tool in found if tool is not None])

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
        match change.collection:
            case "servers":
                self._newer.add(change.id)
                self._put_server(change.id, change.document)
            case "health":
                self._newer.add(change.id)
                self._seen.pop(change.id, None)
                self._put_health(change.id, change.document)
            case "tools":
                tool = _parsed(ToolRecord, change.document)
                if tool is None:
                    slug, kind, name = change.id.split("/", 2)
                    self._index.remove_tool(slug, ToolKind(kind), name)
                else:
                    self._index.put_tool(tool)

    def _put_server(self, slug: str, document: Document | None) -> None:
        server = _parsed(ServerEntry, document)
        if document is None or server is None:
            self._servers.remove(slug)
            self._index.remove_server(slug)
            self._seen.pop(slug, None)
        else:
            self._servers.put(document)
            self._index.put_server(server)

    def _put_health(self, slug: str, document: Document | None) -> None:
        self._servers.put_health(_parsed(Health, document) or Health(server=slug))

    async def _load(self) -> None:
        health = {document.id: document async for document in self._all("health")}
        servers = {document.id: document async for document in self._all("servers")}
        tools: dict[str, list[ToolRecord]] = {slug: [] for slug in servers}
        async for document in self._all("tools"):
            tool = _parsed(ToolRecord, document)
            if tool is not None and tool.server in tools:
                tools[tool.server].append(tool)
        for slug in self._index.servers.keys() - servers.keys():
            self._put_server(slug, None)
        for slug, server in servers.items():
            self._index.replace(slug, tools[slug])
            self._put_server(slug, server)
            self._put_health(slug, health.get(slug))
            await asyncio.sleep(0)  # other requests are answered between two servers
        self._seen = {slug: document.revision for slug, document in health.items()}

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
        log.warning("an unreadable document is not shown", id=document.id, reason=error.errors()[0]["msg"])
        return None
