"""The SQLite file: its connections, each on a thread of its own, and its tables."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.core.store.base import StoreError

_BUSY_S = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
  collection TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL, expires_at REAL,
  PRIMARY KEY (collection, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_server ON documents (collection, json_extract(body, '$.server'), id);
CREATE INDEX IF NOT EXISTS documents_subject ON documents (collection, json_extract(body, '$.subject'), id);
CREATE INDEX IF NOT EXISTS documents_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS changes (
  number INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER, body TEXT,
  affects TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at REAL NOT NULL);
"""

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]


class Database:
    """One file, any number of processes: WAL, one writing and one reading connection in each.

    A transaction is one plain function on the writer's thread, so that a cancelled caller leaves it whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer, self._reader = _connect(path), _connect(path)
        self._writing, self._reading = (ThreadPoolExecutor(1, f"sqlite-{name}") for name in ("write", "read"))

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """The file with its tables made. Raises StoreError."""
        return await asyncio.to_thread(_opened, cls, path)

    async def read(self, work: Work[Result]) -> Result:
        """Run one query. Raises StoreError."""
        return await self._run(self._reading, partial(work, self._reader))

    async def write(self, work: Work[Result], *, durable: bool = False) -> Result:
        """Run one transaction; a durable one survives a loss of power from here on. Raises StoreError."""
        return await self._run(self._writing, partial(_transaction, self._writer, work, durable))

    async def close(self) -> None:
        """Finish what was begun, then close the file."""
        for executor, connection in ((self._writing, self._writer), (self._reading, self._reader)):
            await self._run(executor, connection.close)
            executor.shutdown(wait=False)

    async def _run(self, executor: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, work)
        except sqlite3.Error as error:
            raise StoreError(f"the store {self._path} cannot be used: {error}") from error


def _opened(factory: Callable[[Path], Database], path: Path) -> Database:
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        _prepare(path)
        return factory(path)
    except OSError as error:
        reason = error.strerror or error
        fix = "make it readable and writable for this user, or set GATEPOST_STATE_DIR to another folder"
        raise StoreError(
            f"the state folder {folder} cannot be used: {reason} ({path.name}); {fix}"
        ) from error
    except sqlite3.Error as error:
        fix = "restore it from a backup, or set GATEPOST_STATE_DIR to an empty folder"
        raise StoreError(f"the store {path} cannot be opened: {error}; {fix}") from error


def _prepare(path: Path) -> None:
    connection = _connect(path)
    try:
        _switch_to_wal(connection)
        _transaction(connection, _make_tables, durable=True)
    finally:
        connection.close()


def _make_tables(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'documents'").fetchone():
        return
    for statement in _TABLES.split(";"):
        connection.execute(statement)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait, whatever its timeout, for another process that is just making the same switch.
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _transaction(connection: sqlite3.Connection, work: Work[Result], durable: bool) -> Result:
    connection.execute("PRAGMA synchronous = FULL" if durable else "PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
