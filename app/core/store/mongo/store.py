# ruff: noqa: D102  (the methods are described in Store)
import asyncio
import builtins
import time
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pymongo.errors import DuplicateKeyError

from app.core.settings import Settings
from app.core.store.base import KEPT_CHANGES, Body, Changes, Document, Page, Stored
from app.core.store.collections import CHANGES, COLLECTIONS, LEASES
from app.core.store.mongo import documents
from app.core.store.mongo.client import Client
from app.core.store.mongo.commits import Commits, Write, as_change
from app.core.store.mongo.connection import Connection
from app.core.store.mongo.schema import prepare
from app.core.store.mongo.writer import Writer

_SWEEP_EVERY_S = 60.0
Result = TypeVar("Result")


class MongoStore:
    """The store in MongoDB or Amazon DocumentDB, for any number of hosts. See `Store`.

    It needs no transactions, no change streams and no scripts of the server. `Commits` says how a write of
    policy and its number become one.
    """

    def __init__(self, connection: Connection, kept_changes: int, sweeps: bool) -> None:
        self._connection = connection
        self._commits = Commits(connection, kept_changes)
        self._writer = Writer(connection, self._commits)
        self._sweep_at = 0.0 if sweeps else float("inf")
        self._tasks: set[asyncio.Task[Any]] = set()

    @classmethod
    async def open(cls, settings: Settings, kept_changes: int = KEPT_CHANGES) -> "MongoStore":
        """Connect and make what is missing; the newest `kept_changes` changes are kept. Raises StoreError."""
        connection = Connection(Client(settings))
        try:
            expires = await prepare(connection)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, kept_changes, sweeps=not expires)

    async def get(self, collection: str, id: str) -> Document | None:
        found = await self._connection.find_one(collection, {"_id": id}, documents.SHOWN)
        return documents.document(found) if found and found["expires_at"] > documents.now() else None

    async def list(
        self,
        collection: str,
        where: Mapping[str, documents.Value] | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        wanted = documents.matching(where or {}, cursor)
        found = await self._connection.find(collection, wanted, documents.SHOWN, limit=limit + 1)
        items = [documents.document(one) for one in found[:limit]]
        return Page(items, items[-1].id if len(found) > limit else None)

    async def put(
        self,
        collection: str,
        id: str,
        body: Body,
        *,
        expected: int | None = None,
        expires_at: float | None = None,
    ) -> Document:
        content = documents.content(documents.encode(body), documents.at(expires_at))
        return await self._whole(self._writer.put(collection, id, content, expected))

    async def put_new(
        self, collection: str, bodies: Mapping[str, Body], *, expires_at: float | None = None
    ) -> int:
        ends = documents.at(expires_at)
        made = {id: documents.content(documents.encode(body), ends) for id, body in bodies.items()}
        return await self._whole(self._writer.put_new(collection, made))

    async def delete(self, collection: str, id: str, *, expected: int | None = None) -> bool:
        return await self._whole(self._writer.delete(collection, id, expected))

    async def commit(
        self,
        collection: str,
        id: str,
        body: Body | None,
        *,
        expected: int | None = None,
        affects: Iterable[str] = (),
        expires_at: float | None = None,
    ) -> Document | None:
        text = None if body is None else documents.encode(body)
        write = Write(collection, id, text, sorted(set(affects)), documents.at(expires_at))
        return await self._whole(self._writer.commit(write, expected))

    async def latest_change(self) -> int:
        return await self._commits.newest()

    async def changes(self, since: int, limit: int = 1000) -> Changes | None:
        found = await self._commits.since(since, limit)
        return None if found is None else [as_change(one) for one in found]

    async def acquire(self, lease: str, holder: str, seconds: float) -> bool:
        now = documents.now()
        free = {"_id": lease, "$or": [{"holder": holder}, {"expires_at": {"$lte": now}}]}
        taken = {"holder": holder, "expires_at": documents.at(time.time() + seconds)}
        try:
            await self._connection.upsert(LEASES, free, {"$set": taken})
        except DuplicateKeyError:
            return False
        return True

    async def release(self, lease: str, holder: str) -> None:
        await self._connection.delete(LEASES, {"_id": lease, "holder": holder})

    async def take(self, collection: str, id: str) -> Document | None:
        return await self._whole(self._writer.take(collection, id))

    async def collections(self) -> builtins.list[str]:
        # Known ones alone: others in the same database may be another Gatepost's, with a prefix.
        return sorted(COLLECTIONS.keys() & set(await self._connection.names()))

    async def dump(self, collection: str, after: str | None, limit: int) -> builtins.list[Stored]:
        wanted = documents.matching({}, after)
        found = await self._connection.find(collection, wanted, documents.SHOWN, limit=limit)
        return [documents.stored(one) for one in found]

    async def load(self, collection: str, stored: Iterable[Stored]) -> None:
        for one in stored:
            ends = documents.NEVER if one.expires_at is None else documents.at(one.expires_at / 1000)
            content = documents.content(documents.encode(one.body), ends)
            await self._connection.replace(
                collection, {"_id": one.id}, {**content, "revision": one.revision}, upsert=True
            )

    async def restart_changes(self, number: int) -> None:
        if await self._commits.newest() == 0:
            change = Write("meta", "import", None, ["*"], documents.NEVER).change(
                number + 1, documents.now(), 0
            )
            with suppress(DuplicateKeyError):
                await self._connection.insert(CHANGES, change)

    async def close(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._connection.close()

    async def _whole(self, work: Coroutine[Any, Any, Result]) -> Result:
        """A write goes on to its end, even where its caller gives up meanwhile."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        if (now := time.time()) >= self._sweep_at:
            self._sweep_at = now + _SWEEP_EVERY_S
            self._tasks.add(sweeping := asyncio.create_task(self._sweep()))
            sweeping.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may have given up

    async def _sweep(self) -> None:
        for collection in COLLECTIONS:
            await self._connection.delete(collection, {"sweep_at": {"$lte": documents.now()}})
