"""The collections at start-up: their indexes, and the version of what is in them."""

import asyncio
import time

from pymongo import ASCENDING, IndexModel

from app.core.store.collections import COLLECTIONS
from app.core.store.mongo.connection import Busy, Connection, Unsupported

EXPIRY = "expiry"
"""The index by which expired documents are found, by the server itself where it can."""

_PATIENCE_S = 60.0


def indexes(members: tuple[str, ...], *, expire: bool) -> list[IndexModel]:
    """The indexes of a collection that is filtered by these members."""
    options = {"expireAfterSeconds": 0} if expire else {}
    return [
        IndexModel([("sweep_at", ASCENDING)], name=EXPIRY, **options),
        *(
            IndexModel([(f"members.{member}", ASCENDING), ("_id", ASCENDING)], name=member)
            for member in members
        ),
    ]


async def prepare(connection: Connection) -> bool:
    """Make what is missing of collections and indexes; whether the server removes what has expired.

    Raises StoreError.
    """
    for collection in COLLECTIONS.keys() - set(await connection.names()):
        await connection.create_collection(collection)  # DocumentDB makes no index where there is none
    try:
        await _make(connection, expire=True)
    except Unsupported:
        await _make(connection, expire=False)
        return False
    return True


async def _make(connection: Connection, *, expire: bool) -> None:
    for collection, members in COLLECTIONS.items():
        for index in indexes(members, expire=expire):
            await _make_index(connection, collection, index)


async def _make_index(connection: Connection, collection: str, index: IndexModel) -> None:
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await connection.create_index(collection, index)
        except Busy:  # DocumentDB builds one index of a collection at a time: another process is at it
            if time.monotonic() > end:
                raise
            await asyncio.sleep(1)
