"""The store in MongoDB or DocumentDB: can it be reached, is it the right one, is all there that is needed."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.core.doctor.finding import Finding, State
from app.core.settings import Settings
from app.core.store import StoreError
from app.core.store.collections import COLLECTIONS
from app.core.store.mongo import documents, schema
from app.core.store.mongo.client import Client
from app.core.store.mongo.connection import Connection, Refused, Unsupported

_OLDEST = {"MongoDB": (7, 0), "DocumentDB": (5, 0)}
_SLOW, _WRONG = timedelta(seconds=1), timedelta(seconds=5)
_START = "start an auth server or a registry, which makes what is missing"


async def check_mongo(settings: Settings) -> list[Finding]:
    """Look at the database; a probe document of its own is written and deleted again."""
    try:
        client = Client(settings)
    except StoreError as error:
        return [Finding("store", State.ERROR, str(error), "docs/database.md has examples")]
    connection = Connection(client)
    found: list[Finding] = []
    try:
        found += [finding async for finding in _server(connection, client.is_documentdb)]
        found += [finding async for finding in _rights(connection)]
        found += await _indexes(connection)
    except StoreError as error:
        reason, _, fix = str(error).rpartition("; ")
        found.append(Finding("store", State.ERROR, reason, fix))
    finally:
        await connection.close()
    return found


def version(kind: str, text: str) -> Finding:
    """What is to be said of a server of this kind and version."""
    found = f"{kind} {text}"
    if kind not in _OLDEST:
        return Finding(
            "store", State.WARNING, found, "for trials and tests; use MongoDB or DocumentDB otherwise"
        )
    oldest = _OLDEST[kind]
    if tuple(int(part) for part in text.split(".")[:2]) < oldest:
        return Finding("store", State.WARNING, found, f"upgrade it to {'.'.join(map(str, oldest))} or later")
    return Finding("store", State.OK, found)


def clock(offset: timedelta) -> Finding:
    """What is to be said where the server's clock is ahead of this machine's by so much."""
    seconds = offset.total_seconds()
    order = "ahead of" if seconds > 0 else "behind"
    found = f"the database's clock is {abs(seconds):.1f} s {order} this machine's"
    if abs(offset) <= _SLOW:
        return Finding("clock", State.OK, found)
    state = State.ERROR if abs(offset) > _WRONG else State.WARNING
    return Finding("clock", state, found, "let NTP set both: leases and expiry go by the clocks of all hosts")


async def _server(connection: Connection, is_documentdb: bool) -> AsyncIterator[Finding]:
    before = documents.now()
    hello = await connection.command("hello")
    after = documents.now()
    built = await connection.command("buildInfo")
    kind = "FerretDB" if "ferretdbVersion" in built else "DocumentDB" if is_documentdb else "MongoDB"
    yield version(kind, str(built["version"]))
    if kind == "MongoDB" and "setName" not in hello and hello.get("msg") != "isdbgrid":
        fix = "make it a replica set, so that what was acknowledged survives the loss of a machine"
        yield Finding("replication", State.WARNING, "one server alone, no replica set", fix)
    yield _clock(hello, before + (after - before) / 2)


def _clock(hello: Mapping[str, Any], at: datetime) -> Finding:
    return clock(hello["localTime"].replace(tzinfo=at.tzinfo) - at)


async def _rights(connection: Connection) -> AsyncIterator[Finding]:
    id = f"doctor-{secrets.token_hex(8)}"
    probe = documents.content("{}", documents.at(0.0))
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "insert": lambda: connection.insert("meta", {"_id": id, "revision": 1, **probe}),
        "find": lambda: connection.find_one("meta", {"_id": id}),
        "update": lambda: connection.update("meta", {"_id": id}, {"$inc": {"revision": 1}}),
        "delete": lambda: connection.delete("meta", {"_id": id}),
        "listIndexes": lambda: connection.indexes("meta"),
        "createIndexes": lambda: _make_index(connection),
    }
    refused = []
    for action, step in steps.items():
        try:
            await step()
        except Refused:
            refused.append(action)
    if refused:
        fix = "give the user the role readWrite on this database"
        yield Finding("privileges", State.ERROR, f"the user may not {', '.join(refused)}", fix)
    else:
        yield Finding("privileges", State.OK, "the user may read, write and list indexes")


async def _indexes(connection: Connection) -> list[Finding]:
    missing, different = [], []
    expire = await _make_index(connection)
    for collection, members in COLLECTIONS.items():
        made = await connection.indexes(collection)
        for index in schema.indexes(members, expire=expire):
            wanted = index.document
            name = f"{collection}.{wanted['name']}"
            there = made.get(wanted["name"])
            if there is None:
                missing.append(name)
            elif _shape(there) != _shape(wanted):
                different.append(name)
    found = []
    if len(missing) > len(COLLECTIONS):
        found.append(Finding("indexes", State.WARNING, "no Gatepost has used this database yet", _START))
    elif missing:
        found.append(Finding("indexes", State.ERROR, f"missing: {', '.join(missing)}", f"re{_START}"))
    if different:
        fix = f"drop it, then re{_START}"
        found.append(Finding("indexes", State.ERROR, f"not as they should be: {', '.join(different)}", fix))
    if not expire:
        text = "this server removes nothing that has expired; Gatepost does it itself"
        found.append(Finding("expiry", State.OK, text))
    return found or [Finding("indexes", State.OK, "all there")]


async def _make_index(connection: Connection) -> bool:
    """Make one index that is there already; whether the server removes what has expired."""
    try:
        await connection.create_index("meta", schema.indexes((), expire=True)[0])
    except Unsupported:
        await connection.create_index("meta", schema.indexes((), expire=False)[0])
        return False
    return True


def _shape(index: Mapping[str, Any]) -> tuple[list[tuple[str, int]], object]:
    return [(name, int(order)) for name, order in index["key"].items()], index.get("expireAfterSeconds")
