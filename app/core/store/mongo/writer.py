import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress

from pymongo.errors import DuplicateKeyError

from app.core.store.base import ABSENT, Conflict, Document, StoreError
from app.core.store.mongo import documents
from app.core.store.mongo.commits import Commits, Write
from app.core.store.mongo.connection import Connection
from app.core.store.mongo.documents import Bson

_PATIENCE_S, _QUEUE_S = 30.0, 10.0
_LONGEST_PAUSE_S = 0.02
_UNCLAIMED = {"claim": None}


class Writer:
    """Writes to documents, begun again where another writer was there first. Raises StoreError, Conflict."""

    def __init__(self, connection: Connection, commits: Commits) -> None:
        self._connection = connection
        self._commits = commits
        self._committing = asyncio.Lock()

    async def put(self, collection: str, id: str, content: Bson, expected: int | None) -> Document:
        """Write what `documents.content` made."""
        for pause in _pauses(collection, id):
            await asyncio.sleep(pause)
            revision, where = expected, documents.live(id, expected)
            if expected is None:
                state = await self._commits.state(collection, id)
                revision, where = state.shown, {"_id": id, "version": state.version}
            if revision and await self._change(collection, where, content):
                return documents.document({"_id": id, "revision": revision + 1, **content})
            if not revision and await self._make(collection, id, content):
                return documents.document({"_id": id, "revision": 1, **content})
            await self._look(collection, id, expected)
        raise AssertionError

    async def put_new(self, collection: str, made: Mapping[str, Bson]) -> int:
        """Write what is not there or has expired; how many that were."""
        if not made:
            return 0
        new = [{"_id": id, "revision": 1, **content} for id, content in made.items()]
        there = await self._connection.insert_new(collection, new)
        if not there:
            return len(made)
        over = {"_id": {"$in": sorted(there)}, "expires_at": {"$lte": documents.now()}}
        expired = await self._connection.find(collection, over, {"_id": 1}, limit=len(there))
        written = len(made) - len(there)
        for one in expired:
            with suppress(Conflict):
                await self.put(collection, one["_id"], made[one["_id"]], ABSENT)
                written += 1
        return written

    async def delete(self, collection: str, id: str, expected: int | None) -> bool:
        """Whether there was something to delete."""
        for pause in _pauses(collection, id):
            await asyncio.sleep(pause)
            where = {**documents.live(id, expected), **_UNCLAIMED}
            if await self._connection.delete(collection, where):
                return True
            if await self._look(collection, id, expected) == 0:
                return False
        raise AssertionError

    async def take(self, collection: str, id: str) -> Document | None:
        """Delete the document and give it to one taker."""
        for pause in _pauses(collection, id):
            await asyncio.sleep(pause)
            where = {**documents.live(id), **_UNCLAIMED}
            if found := await self._connection.take(collection, where):
                return documents.document(found)
            if await self._look(collection, id, None) == 0:
                return None
        raise AssertionError

    async def commit(self, write: Write, expected: int | None) -> Document | None:
        """Write and number one change; those of one process go one after another."""
        async with self._turn():
            for pause in _pauses(write.collection, write.id):
                await asyncio.sleep(pause)
                at = documents.now()
                number = await self._commits.newest() + 1
                state = await self._commits.state(write.collection, write.id)
                if state.claim:
                    await self._commits.finish(state.claim)
                    continue
                _expect(write.collection, write.id, state.shown, expected)
                if write.body is None and not state.shown:
                    return None
                change = write.change(number, at, state.shown + 1)
                if await self._commits.claim(state, change) and await self._commits.finish(change):
                    with suppress(StoreError):
                        await self._commits.trim(number)
                    return None if write.body is None else documents.document({**change, "_id": write.id})
        raise AssertionError

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        # While the database is away each turn ends late, in an error: those who wait must not add that up.
        try:
            await asyncio.wait_for(self._committing.acquire(), _QUEUE_S)
        except TimeoutError:
            raise StoreError("too many writes wait for the database; repeat the request") from None
        try:
            yield
        finally:
            self._committing.release()

    async def _change(self, collection: str, where: Bson, content: Bson) -> bool:
        kept = {} if "sweep_at" in content else {"$unset": {"sweep_at": ""}}
        changes = {"$set": content, "$inc": {"revision": 1}, **kept}
        return await self._connection.update(collection, {**where, **_UNCLAIMED}, changes)

    async def _make(self, collection: str, id: str, content: Bson) -> bool:
        where = {"_id": id, "expires_at": {"$lte": documents.now()}, **_UNCLAIMED}
        try:
            await self._connection.replace(collection, where, {**content, "revision": 1}, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def _look(self, collection: str, id: str, expected: int | None) -> int | None:
        """The revision that readers see, or None where a claim had to be finished. Raises Conflict."""
        state = await self._commits.state(collection, id)
        if state.claim:
            await self._commits.finish(state.claim)
            return None
        _expect(collection, id, state.shown, expected)
        return state.shown


def _expect(collection: str, id: str, revision: int, expected: int | None) -> None:
    if expected is not None and expected != revision:
        raise Conflict(
            f"{collection}/{id} is at revision {revision}, not {expected}; read it again, then repeat"
        )


def _pauses(collection: str, id: str) -> Iterator[float]:
    end = time.monotonic() + _PATIENCE_S
    yield 0.0
    while time.monotonic() < end:
        yield random.uniform(0.0, _LONGEST_PAUSE_S)  # noqa: S311  (spreads the writers, no secret)
    raise StoreError(f"{collection}/{id} is being written by too many at once; repeat the request")
