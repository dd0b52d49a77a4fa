"""The collections at start-up: their indexes, and the version of what is in them."""

from pymongo import ASCENDING, IndexModel

from app.core.store.collections import COLLECTIONS
from app.core.store.mongo.connection import Connection, Unsupported

EXPIRY = "expiry"
"""The index by which expired documents are found, by the server itself where it can."""


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
    """Make the indexes that are missing; whether the server removes what has expired. Raises StoreError."""
    try:
        await _make(connection, expire=True)
    except Unsupported:
        await _make(connection, expire=False)
        return False
    return True


async def _make(connection: Connection, *, expire: bool) -> None:
    for collection, members in COLLECTIONS.items():
        for index in indexes(members, expire=expire):
            await connection.create_index(collection, index)
