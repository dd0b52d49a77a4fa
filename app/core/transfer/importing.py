import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from app.core.sealing import Sealer, SealError
from app.core.store import Store, Stored
from app.core.store.migrations import SCHEMA_VERSION, migrated
from app.core.transfer.archive import OWN, Archive, Tally, Totals, TransferError
from app.core.transfer.exporting import AT_ONCE, Progress, documents
from app.core.transfer.sealed import opened_line, resealed

Item = tuple[str, Stored]
_META, _MARK = "meta", "import"
_SOON_MS = 3_600_000


async def import_store(store: Store, sealer: Sealer, path: Path, progress: Progress) -> Totals:
    """Fill an empty store from a file, with every revision and expiry as it was, then compare what is there.

    Secrets are sealed anew by the first sealing key. The file is read through, and each secret opened, before
    anything is written. One that was interrupted goes on where it was. Raises TransferError, StoreError.
    """
    archive = await asyncio.to_thread(_checked, path, sealer)
    done = await _begun(store, archive)
    items = _items(archive)
    for collection, _ in islice(items, done):
        progress(collection, 1, archive.lines)
    while batch := list(islice(items, AT_ONCE)):
        for collection in dict.fromkeys(name for name, _ in batch):
            chosen = [resealed(sealer, name, stored) for name, stored in batch if name == collection]
            await store.load(collection, chosen)
            progress(collection, len(chosen), archive.lines)
        done += len(batch)
        await store.put(_META, _MARK, {"file": archive.sha256, "done": done})
    found = await _compared(store, sealer, archive)
    await store.restart_changes(archive.change)
    await store.delete(_META, _MARK)
    return found


def _checked(path: Path, sealer: Sealer) -> Archive:
    """The file, if it is whole and each of its secrets can be opened."""
    archive = Archive.verify(path)
    if archive.schema > SCHEMA_VERSION:
        raise TransferError(
            f"{path} has schema version {archive.schema}, this program knows {SCHEMA_VERSION}; "
            "use the Gatepost that made it, or a newer one"
        )
    unknown = set()
    for collection, stored in _items(archive):
        try:
            opened_line(sealer, collection, stored)
        except SealError as error:
            unknown.add(str(error))
    if unknown:
        raise TransferError(f"{path} holds secrets that cannot be opened here: {min(unknown)}")
    return archive


async def _begun(store: Store, archive: Archive) -> int:
    """How many documents are there already. Marks the store as one that this import fills."""
    mark = await store.get(_META, _MARK)
    if mark is not None:
        if mark.body["file"] != archive.sha256:
            raise TransferError("this store was begun to be filled from another file; go on with that one")
        return int(mark.body["done"])
    for name in await store.collections():
        if any(stored.id not in OWN for stored in await store.dump(name, None, len(OWN) + 1)):
            raise TransferError(f"the store is not empty: it has {name}; import into an empty one")
    if await store.latest_change() > 0:
        raise TransferError("the store is not empty: policy was written to it; import into an empty one")
    await store.put(_META, _MARK, {"file": archive.sha256, "done": 0})
    return 0


def _items(archive: Archive) -> Iterator[Item]:
    for collection, stored in archive.documents():
        yield collection, migrated(archive.schema, collection, stored)


async def _compared(store: Store, sealer: Sealer, archive: Archive) -> Totals:
    """What the store has. What ends before this is over, or did while the file lay there, does not count."""
    ends = int(time.time() * 1000) + _SOON_MS
    wanted, found = Tally(), Tally()
    for name, stored in _items(archive):
        if stored.expires_at is None or stored.expires_at > ends:
            wanted.add(name, opened_line(sealer, name, stored))
    for name in await store.collections():
        async for stored in documents(store, name):
            if stored.expires_at is None or stored.expires_at > ends:
                found.add(name, opened_line(sealer, name, stored))
    if found.totals != wanted.totals:
        wrong = sorted(
            name
            for name in found.totals.keys() | wanted.totals
            if found.totals.get(name) != wanted.totals.get(name)
        )
        raise TransferError(
            f"the store differs from {archive.path} in {', '.join(wrong)}; did something else write to it? "
            "Import into another, empty one, while nothing else uses it"
        )
    return found.totals
