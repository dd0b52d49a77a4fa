# ruff: noqa: D102  (the methods are described in Store)
import builtins
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from app.core.store.base import KEPT_CHANGES, Body, Change, Changes, Document, Page, Stored
from app.core.store.sqlite import documents
from app.core.store.sqlite.database import Database, Work

_SWEEP_EVERY_S = 60.0
Result = TypeVar("Result")


class SqliteStore:
    """The store in one SQLite file, for one host: a laptop, a single machine. See `Store`."""

    def __init__(self, database: Database, kept_changes: int) -> None:
        self._database = database
        self._kept_changes = kept_changes
        self._sweep_at = 0.0

    @classmethod
    async def open(cls, path: Path, kept_changes: int = KEPT_CHANGES) -> "SqliteStore":
        """Open or make the file; the newest `kept_changes` changes are remembered. Raises StoreError."""
        return cls(await Database.open(path), kept_changes)

    async def get(self, collection: str, id: str) -> Document | None:
        return await self._database.read(lambda db: documents.get(db, collection, id, time.time()))

    async def list(
        self,
        collection: str,
        where: Mapping[str, documents.Value] | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        return await self._database.read(
            lambda db: documents.page(
                db, collection, where=where or {}, limit=limit, cursor=cursor, now=time.time()
            )
        )

    async def put(
        self,
        collection: str,
        id: str,
        body: Body,
        *,
        expected: int | None = None,
        expires_at: float | None = None,
    ) -> Document:
        return await self._write(
            lambda db: documents.put(
                db, collection, id, body, expected=expected, expires_at=expires_at, now=time.time()
            )
        )

    async def put_new(
        self, collection: str, bodies: Mapping[str, Body], *, expires_at: float | None = None
    ) -> int:
        return await self._write(
            lambda db: documents.put_new(db, collection, bodies, expires_at=expires_at, now=time.time()),
            durable=True,
        )

    async def delete(self, collection: str, id: str, *, expected: int | None = None) -> bool:
        return await self._write(lambda db: documents.delete(db, collection, id, expected, time.time()))

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
        named = json.dumps(sorted(set(affects)))

        def work(db: sqlite3.Connection) -> Document | None:
            now = time.time()
            written = None
            if body is not None:
                written = documents.put(
                    db, collection, id, body, expected=expected, expires_at=expires_at, now=now
                )
            elif not documents.delete(db, collection, id, expected, now):
                return None
            revision, text = (written.revision, documents.encode(written.body)) if written else (None, None)
            number = db.execute(
                "INSERT INTO changes SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ? FROM changes",
                (collection, id, revision, text, named),
            ).lastrowid
            db.execute("DELETE FROM changes WHERE number <= ?", ((number or 0) - self._kept_changes,))
            return written

        return await self._write(work, durable=True)

    async def latest_change(self) -> int:
        query = "SELECT coalesce(max(number), 0) FROM changes"
        return int(await self._database.read(lambda db: db.execute(query).fetchone()[0]))

    async def changes(self, since: int, limit: int = 1000) -> Changes | None:
        query = """
            SELECT ends.oldest, ends.newest, c.number, c.collection, c.id, c.revision, c.body, c.affects
            FROM (SELECT coalesce(min(number), 1) oldest, coalesce(max(number), 0) newest FROM changes) ends
            LEFT JOIN changes c ON c.number > ? ORDER BY c.number LIMIT ?"""
        rows = await self._database.read(lambda db: db.execute(query, (since, limit)).fetchall())
        oldest, newest = rows[0][:2]
        if not oldest - 1 <= since <= newest:
            return None
        return [_change(row[2:]) for row in rows if row[2] is not None]

    async def acquire(self, lease: str, holder: str, seconds: float) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            now = time.time()
            taken = db.execute(
                "INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET holder = excluded.holder, expires_at = excluded.expires_at"
                " WHERE holder = excluded.holder OR expires_at <= ?",
                (lease, holder, now + seconds, now),
            )
            return taken.rowcount == 1

        return await self._write(work)

    async def release(self, lease: str, holder: str) -> None:
        query = "DELETE FROM leases WHERE name = ? AND holder = ?"
        await self._write(lambda db: db.execute(query, (lease, holder)))

    async def take(self, collection: str, id: str) -> Document | None:
        def work(db: sqlite3.Connection) -> Document | None:
            now = time.time()
            found = documents.get(db, collection, id, now)
            documents.delete(db, collection, id, None, now)
            return found

        return await self._write(work, durable=True)

    async def collections(self) -> builtins.list[str]:
        query = "SELECT DISTINCT collection FROM documents ORDER BY collection"
        return await self._database.read(lambda db: [row[0] for row in db.execute(query)])

    async def dump(self, collection: str, after: str | None, limit: int) -> builtins.list[Stored]:
        return await self._database.read(
            lambda db: documents.dump(db, collection, after or "", limit, time.time())
        )

    async def load(self, collection: str, stored: Iterable[Stored]) -> None:
        await self._write(lambda db: documents.load(db, collection, stored), durable=True)

    async def restart_changes(self, number: int) -> None:
        query = """
            INSERT INTO changes SELECT ?, 'meta', 'import', NULL, NULL, '["*"]'
            WHERE NOT EXISTS (SELECT 1 FROM changes)"""
        await self._write(lambda db: db.execute(query, (number + 1,)), durable=True)

    async def close(self) -> None:
        await self._database.close()

    async def _write(self, work: Work[Result], *, durable: bool = False) -> Result:
        def with_sweep(db: sqlite3.Connection) -> Result:
            if (now := time.time()) >= self._sweep_at:
                self._sweep_at = now + _SWEEP_EVERY_S
                documents.sweep(db, now)
            return work(db)

        return await self._database.write(with_sweep, durable=durable)


def _change(row: tuple[Any, ...]) -> Change:
    number, collection, id, revision, text, affects = row
    written = None if text is None else documents.document(id, revision, text)
    return Change(number, collection, id, written, frozenset(json.loads(affects)))
