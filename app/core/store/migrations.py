"""The form of documents has a version, kept as `meta/schema`; a store of an older one is brought forward."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.core.store.base import ABSENT, Body, Conflict, Store, Stored, StoreError
from app.core.store.lease import lease

Migration = Callable[[str, Body], Body]
"""From a document of one version, with its collection, to that document in the next."""

MIGRATIONS: Mapping[int, Migration] = {}
"""By the version that they start from."""

SCHEMA_VERSION = 1
_SCHEMA = ("meta", "schema")
_AT_ONCE = 500


def migrated(version: int, collection: str, stored: Stored) -> Stored:
    """A document of an older version in the form of the newest; its revision stays."""
    body = stored.body
    for number in range(version, SCHEMA_VERSION):
        body = MIGRATIONS[number](collection, body)
    return replace(stored, body=body)


async def bring_forward(
    store: Store, migrations: Mapping[int, Migration] = MIGRATIONS, newest: int = SCHEMA_VERSION
) -> None:
    """Bring every document to the newest version, one process at a time, and say so in the store.

    Each step may be repeated: one that is interrupted is begun again. Raises StoreError for a store that a
    newer version wrote.
    """
    if await _version(store, newest) == newest:
        return
    async with lease(store, "migration", 30, wait_s=600):
        version = await _version(store, newest)
        for number in range(version, newest):
            for collection in await store.collections():
                await _step(store, collection, migrations[number])
            await store.put(*_SCHEMA, {"version": number + 1})


async def _version(store: Store, newest: int) -> int:
    found = await store.get(*_SCHEMA)
    if found is None:
        try:
            found = await store.put(*_SCHEMA, {"version": newest}, expected=ABSENT)
        except Conflict:
            return await _version(store, newest)
    version = int(found.body["version"])
    if version > newest:
        raise StoreError(
            f"the store has schema version {version}, this program knows {newest}; start the newer Gatepost "
            "that wrote it, or name another store with GATEPOST_STATE_DIR or GATEPOST_MONGODB_URI"
        )
    return version


async def _step(store: Store, collection: str, migration: Migration) -> None:
    after = None
    while found := await store.dump(collection, after, _AT_ONCE):
        after = found[-1].id
        changed = [replace(one, body=migration(collection, one.body)) for one in found]
        await store.load(collection, [new for old, new in zip(found, changed, strict=True) if new != old])
