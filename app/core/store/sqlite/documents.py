"""Documents in SQLite: plain functions on a connection, each to be run inside one transaction."""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping

from app.core.store.base import Body, Conflict, Document, Page, Stored, milliseconds

Value = str | int | bool | None
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LIVE = "collection = ? AND (expires_at IS NULL OR expires_at > ?)"


def get(connection: sqlite3.Connection, collection: str, id: str, now: float) -> Document | None:
    """The document, unless its time is over."""
    query = f"SELECT id, revision, body FROM documents WHERE {_LIVE} AND id = ?"  # noqa: S608  (constants)
    row = connection.execute(query, (collection, now, id)).fetchone()
    return None if row is None else document(*row)


def page(
    connection: sqlite3.Connection,
    collection: str,
    *,
    where: Mapping[str, Value],
    limit: int,
    cursor: str | None,
    now: float,
) -> Page:
    """Documents by id after `cursor`, whose members equal `where`. Raises ValueError."""
    conditions, values = [_LIVE], [collection, now]
    for member, value in where.items():
        condition, bound = _equals(member, value)
        conditions.append(condition)
        values += bound
    if cursor is not None:
        conditions.append("id > ?")
        values.append(cursor)
    chosen = " AND ".join(conditions)
    query = f"SELECT id, revision, body FROM documents WHERE {chosen} ORDER BY id LIMIT ?"  # noqa: S608
    rows = connection.execute(query, (*values, limit + 1)).fetchall()
    items = [document(*row) for row in rows[:limit]]
    return Page(items, items[-1].id if len(rows) > limit else None)


def put(
    connection: sqlite3.Connection,
    collection: str,
    id: str,
    body: Body,
    *,
    expected: int | None,
    expires_at: float | None,
    now: float,
) -> Document:
    """Write with the next revision. Raises Conflict."""
    revision = _expect(connection, collection, id, expected, now) + 1
    text = encode(body)
    connection.execute(
        "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)",
        (collection, id, revision, text, expires_at),
    )
    return document(id, revision, text)


def put_new(
    connection: sqlite3.Connection,
    collection: str,
    bodies: Mapping[str, Body],
    *,
    expires_at: float | None,
    now: float,
) -> int:
    """Write what is not there or has expired; how many that were."""
    query = """
        INSERT INTO documents VALUES (?, ?, 1, ?, ?) ON CONFLICT (collection, id) DO UPDATE
        SET revision = 1, body = excluded.body, expires_at = excluded.expires_at
        WHERE documents.expires_at <= ?"""
    rows = [(collection, id, encode(body), expires_at, now) for id, body in bodies.items()]
    return connection.executemany(query, rows).rowcount if rows else 0


def delete(
    connection: sqlite3.Connection, collection: str, id: str, expected: int | None, now: float
) -> bool:
    """Whether there was a live document to delete. Raises Conflict."""
    revision = _expect(connection, collection, id, expected, now)
    connection.execute("DELETE FROM documents WHERE collection = ? AND id = ?", (collection, id))
    return revision > 0


def dump(connection: sqlite3.Connection, collection: str, after: str, limit: int, now: float) -> list[Stored]:
    """Live documents after an id, with their expiry."""
    query = (
        f"SELECT id, revision, body, expires_at FROM documents WHERE {_LIVE} AND id > ? ORDER BY id LIMIT ?"  # noqa: S608
    )
    rows = connection.execute(query, (collection, now, after, limit)).fetchall()
    return [Stored(id, revision, json.loads(text), milliseconds(ends)) for id, revision, text, ends in rows]


def load(connection: sqlite3.Connection, collection: str, stored: Iterable[Stored]) -> None:
    """Write documents as they were elsewhere."""
    rows = [
        (
            collection,
            one.id,
            one.revision,
            encode(one.body),
            None if one.expires_at is None else one.expires_at / 1000,
        )
        for one in stored
    ]
    connection.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)", rows)


def sweep(connection: sqlite3.Connection, now: float) -> None:
    """Drop what readers no longer see."""
    connection.execute("DELETE FROM documents WHERE expires_at <= ?", (now,))


def document(id: str, revision: int, text: str) -> Document:
    """A row as a document."""
    return Document(id, revision, json.loads(text))


def encode(body: Body) -> str:
    """The body as it is stored. Raises ValueError or TypeError for what is no JSON."""
    return _ENCODER.encode(body)


def _expect(
    connection: sqlite3.Connection, collection: str, id: str, expected: int | None, now: float
) -> int:
    found = get(connection, collection, id, now)
    revision = found.revision if found else 0
    if expected is not None and expected != revision:
        raise Conflict(
            f"{collection}/{id} is at revision {revision}, not {expected}; read it again, then repeat"
        )
    return revision


def _equals(member: str, value: Value) -> tuple[str, list[str | int]]:
    if not _MEMBER.fullmatch(member):
        raise ValueError(f"{member!r} is no name of a member to filter by")
    extract, kind = f"json_extract(body, '$.{member}')", f"json_type(body, '$.{member}')"
    if value is None:
        return f"{extract} IS NULL", []
    if isinstance(value, bool):
        return f"{kind} = ?", ["true" if value else "false"]
    kinds = "('text')" if isinstance(value, str) else "('integer', 'real')"
    return f"({extract} = ? AND {kind} IN {kinds})", [value]
