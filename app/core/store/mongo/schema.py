"""The collections at start-up: their indexes, and the version of what is in them."""

from pymongo import ASCENDING, IndexModel

from app.core.store.collections import COLLECTIONS
from app.core.store.mongo.connection import Connection

EXPIRY = "expiry"
"""The index by which expired documents go away."""


def indexes(members: tuple[str, ...]) -> list[IndexModel]:
    """The indexes of a collection that is filtered by these members."""
    return [
        IndexModel([("sweep_at", ASCENDING)], name=EXPIRY, expireAfterSeconds=0),
        *(
            IndexModel([(f"members.{member}", ASCENDING), ("_id", ASCENDING)], name=member)
            for member in members
        ),
    ]


async def prepare(connection: Connection) -> bool:
    """Make the indexes that are missing; whether the server removes what has expired. Raises StoreError."""
    for collection, members in COLLECTIONS.items():
        await connection.create_indexes(collection, indexes(members))
    made = await connection.indexes("meta")
    return "expireAfterSeconds" in made[EXPIRY]
