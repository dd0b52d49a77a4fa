"""Commits without transactions: how a write of policy and its number become one.

1. The writer claims the document: it lays the whole change, with the next number, into the document itself.
   A claimed document takes no other write.
2. It inserts that change into `changes` with its number as the `_id`: this insert, which one writer alone
   can make, is the commit.
3. It applies the change to the document, which takes the claim away.

A writer may die, or stop for any time, between two of these steps. Whoever meets a claim finishes it: he
makes the same insert; where the number belongs to another change by then, he takes the claim away, and its
writer, if it still lives, begins again. Nobody waits for anybody, and no clock decides.

Number n + 1 is claimed only by one who has seen n applied. So the newest change alone can be one that its
document does not show yet, and who reads numbers applies that one first.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from app.core.store.base import Change
from app.core.store.collections import CHANGES
from app.core.store.mongo import documents
from app.core.store.mongo.connection import Connection
from app.core.store.mongo.documents import Bson

_STATE = {"revision": 1, "version": 1, "expires_at": 1, "claim": 1}
_UNMET = timedelta(days=1)  # after that a claim may be swept with a document that has expired
_TRIM_EVERY, _STEPS, _RECENT = 100, 4, 200
_TRIM_AGE, _FRESH = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True)
class State:
    """What a writer must know of a document; None for `version` where there is none at all."""

    version: ObjectId | None = None
    revision: int = 0
    expires_at: datetime = documents.LONG_AGO
    claim: Bson | None = None

    @property
    def shown(self) -> int:
        """The revision that readers see; 0 for none."""
        return self.revision if self.expires_at > documents.now() else 0


@dataclass(frozen=True)
class Write:
    """A write of policy; None for `body`, the JSON text, is a deletion."""

    collection: str
    id: str
    body: str | None
    affects: list[str]
    expires_at: datetime

    def change(self, number: int, at: datetime, revision: int) -> Bson:
        """The change as it is stored in `changes`, and before that in its document's claim.

        `at` is a time before the newest change was read, to which `number` is the next.
        """
        return {
            "_id": key(number),
            "number": number,
            "by": ObjectId(),
            "at": at,
            "revision": revision,
            **asdict(self),
        }


class Commits:
    """The order of changes in one database. Every method raises StoreError."""

    def __init__(self, connection: Connection, kept: int) -> None:
        self._connection = connection
        self._kept = kept
        self._applied = 0
        self._looked = 0.0
        self._recent: dict[int, Bson] = {}

    async def state(self, collection: str, id: str) -> State:
        """The document as a writer sees it."""
        found = await self._connection.find_one(collection, {"_id": id}, _STATE)
        if found is None:
            return State()
        return State(found["version"], found["revision"], found["expires_at"], found.get("claim"))

    async def newest(self) -> int:
        """The number of the newest change, once its document shows it; 0 for none."""
        now = time.time()
        if self._applied and 0 <= now - self._looked < _FRESH.total_seconds():
            change = await self._next(self._applied)
        else:
            change = await self._last()
            self._looked = now
            last = change["number"] if change else 0
            if last < self._applied:  # the database was put back from a backup
                self._applied = last
                self._recent.clear()
        if change and change["number"] > self._applied:
            await self.apply(change)
        return self._applied

    async def since(self, number: int, limit: int) -> list[Bson] | None:
        """Changes after a number, oldest first, all of them applied; None where that number is unknown."""
        newest = await self.newest()
        if not newest - self._kept <= number <= newest:
            return None
        wanted = range(number + 1, min(newest, number + limit) + 1)
        if all(one in self._recent for one in wanted):
            return [self._recent[one] for one in wanted]
        found = await self._connection.find(
            CHANGES, {"_id": {"$gt": key(number), "$lte": key(newest)}}, limit=limit
        )
        return found if found and found[0]["number"] == number + 1 else None

    async def claim(self, state: State, change: Bson) -> bool:
        """Lay a change into its document, unless that was written since this state was read."""
        collection, id = change["collection"], change["id"]
        sweep_at = documents.now() + _UNMET
        if state.version is None:
            place = {"_id": id, "claim": change, "sweep_at": sweep_at, "version": ObjectId()}
            hidden = {"revision": 0, "body": "{}", "expires_at": documents.LONG_AGO}
            try:
                await self._connection.insert(collection, {**place, **hidden})
            except DuplicateKeyError:
                return False
            return True
        kept = {} if state.expires_at == documents.NEVER else {"$max": {"sweep_at": sweep_at}}
        where = {"_id": id, "version": state.version, "claim": None}
        return await self._connection.update(collection, where, {"$set": {"claim": change}, **kept})

    async def finish(self, change: Bson) -> bool:
        """Commit and apply a change that its document is claimed for; whether its number was still free."""
        if not await self._insert(change) and not await self._was_inserted(change):
            where = {"_id": change["id"], "claim.by": change["by"]}
            await self._connection.update(change["collection"], where, {"$unset": {"claim": ""}})
            return False
        await self.apply(change)
        return True

    async def apply(self, change: Bson) -> None:
        """Make the document show a committed change; nothing happens where it does, or did, already."""
        where = {"_id": change["id"], "claim.by": change["by"]}
        if change["body"] is None:
            await self._connection.delete(change["collection"], where)
        else:
            content = documents.content(change["body"], change["expires_at"])
            await self._connection.replace(
                change["collection"], where, {**content, "revision": change["revision"]}
            )
        self._remember(change)
        self._applied = max(self._applied, change["number"])

    async def trim(self, number: int) -> None:
        """Forget changes beyond the kept ones, now and then, but none of the last hour: see `_insert`."""
        if number % _TRIM_EVERY == 0:
            old = {"_id": {"$lte": key(number - self._kept)}, "at": {"$lt": documents.now() - _TRIM_AGE}}
            await self._connection.delete(CHANGES, old)

    async def _insert(self, change: Bson) -> bool:
        # The number of a claim that was left for an hour may be free again because it was forgotten.
        old = documents.now() - change["at"] > _FRESH
        if old and (found := await self._last()) and found["number"] >= change["number"]:
            return False
        try:
            await self._connection.insert(CHANGES, change)
        except DuplicateKeyError:
            return False
        return True

    async def _was_inserted(self, change: Bson) -> bool:
        # Without waiting for a majority: what refused the insert may not have reached one yet.
        taken = await self._connection.find_one(CHANGES, {"_id": change["_id"]}, {"by": 1}, local=True)
        return taken is not None and taken["by"] == change["by"]

    async def _last(self) -> Bson | None:
        found = await self._connection.find(CHANGES, {}, descending=True, limit=1)
        return found[0] if found else None

    async def _next(self, number: int) -> Bson | None:
        """The newest change after one that was the newest a moment ago: mostly one look at one id."""
        newest = None
        for _ in range(_STEPS):
            found = await self._connection.find_one(CHANGES, {"_id": key(number + 1)})
            if found is None:
                return newest
            self._remember(found)
            newest, number = found, number + 1
        return await self._last()

    def _remember(self, change: Bson) -> None:
        """Keep a committed change for those who follow: the newest ones are asked for again and again."""
        self._recent[change["number"]] = change
        while len(self._recent) > _RECENT:
            del self._recent[min(self._recent)]


def key(number: int) -> str:
    """A number as the `_id` of its change: as text it has the same order."""
    return f"{max(number, 0):016}"


def as_change(found: Mapping[str, Any]) -> Change:
    """A stored change as the store gives it."""
    written = None
    if found["body"] is not None:
        written = documents.document({**found, "_id": found["id"]})
    return Change(found["number"], found["collection"], found["id"], written, frozenset(found["affects"]))
