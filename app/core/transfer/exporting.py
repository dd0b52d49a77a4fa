import json
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from app.core.store import Store, Stored
from app.core.store.migrations import SCHEMA_VERSION
from app.core.transfer.archive import OWN, Tally, Totals, TransferError, header_line, line_of, trailer_line

Progress = Callable[[str, int, int | None], None]
"""Told of a collection, how many more documents were done, and of how many in all if that is known."""

AT_ONCE = 500
_LOG = "audit_events"
_TRIES = 5


async def export_store(store: Store, path: Path, progress: Progress) -> Totals:
    """Write all documents of a store to a new file, which only its owner can read.

    Documents of policy are as they were at one number of the order of changes; what changes beside that order
    (sessions, health, last use) is as it was found. One that was interrupted goes on where it was in the
    audit log, which is most of it. Raises TransferError, StoreError.
    """
    part = path.with_name(f"{path.name}.part")
    tally = Tally()
    try:
        with _opened(path, part) as file:
            last = _begun(file, tally)
            async for stored in documents(store, _LOG, last):
                _write(file, tally, _LOG, stored, progress)
            number, found = await _at_one_number(store)
            for collection, stored in found:
                _write(file, tally, collection, stored, progress)
            file.write(trailer_line(tally.totals, number) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        reason = error.strerror or error
        raise TransferError(f"{path} cannot be written: {reason}; name a file in another folder") from error
    return tally.totals


async def documents(store: Store, collection: str, after: str | None = None) -> AsyncIterator[Stored]:
    """Every document of a collection after an id, in the order of ids."""
    while found := await store.dump(collection, after, AT_ONCE):
        for stored in found:
            if collection != "meta" or stored.id not in OWN:
                yield stored
        after = found[-1].id


async def _at_one_number(store: Store) -> tuple[int, list[tuple[str, Stored]]]:
    for _ in range(_TRIES):
        number = await store.latest_change()
        names = [name for name in await store.collections() if name != _LOG]
        found = [(name, one) for name in names async for one in documents(store, name)]
        if await store.latest_change() == number:
            return number, found
    raise TransferError("the store is changed faster than it can be read; stop Gatepost, then export again")


def _opened(path: Path, part: Path) -> TextIO:
    if path.exists():
        raise TransferError(f"{path} is there already; name another file")
    return os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")


def _begun(file: TextIO, tally: Tally) -> str | None:
    """Keep the whole lines of the audit log that are there already; the last one's id."""
    last, end = None, 0
    for line in iter(file.readline, ""):
        if not line.endswith("\n"):
            break
        found = json.loads(line)
        if "gatepost_export" not in found:
            if found.get("collection") != _LOG:
                break
            tally.add(_LOG, line.rstrip("\n"))
            last = str(found["id"])
        end = file.tell()
    file.seek(end)
    file.truncate()
    if end == 0:
        file.write(header_line(SCHEMA_VERSION, datetime.now(UTC).isoformat(timespec="seconds")) + "\n")
    return last


def _write(file: TextIO, tally: Tally, collection: str, stored: Stored, progress: Progress) -> None:
    line = line_of(collection, stored)
    file.write(line + "\n")
    tally.add(collection, line)
    progress(collection, 1, None)
