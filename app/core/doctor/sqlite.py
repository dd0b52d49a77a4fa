"""The store in a SQLite file: is it sound, and can it go on."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from app.core.doctor.finding import Finding, State

_LITTLE, _TOO_LITTLE = 1024**3, 64 * 1024**2
_OF_A_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"}
_MOUNTS = Path("/proc/mounts")


def check_sqlite(path: Path) -> list[Finding]:
    """Look at the file, which is opened for reading alone."""
    if not path.exists():
        return [Finding("store", State.WARNING, f"{path} is not there yet", "`gatepost up` makes it")]
    return [*_file(path), space(shutil.disk_usage(path.parent).free), *_place(path)]


def space(free: int) -> Finding:
    """What is to be said of so many free bytes where the store is."""
    found = f"{free / 1024**3:.1f} GiB free"
    if free >= _LITTLE:
        return Finding("disk space", State.OK, found)
    state = State.WARNING if free >= _TOO_LITTLE else State.ERROR
    return Finding("disk space", state, found, "make room: a store on a full disk takes no writes")


def filesystem(path: Path, mounts: str) -> str:
    """The type of the file system that holds this absolute path, by the text of /proc/mounts."""
    found = {
        fields[1].replace("\\040", " "): fields[2] for line in mounts.splitlines() if (fields := line.split())
    }
    return next((found[str(folder)] for folder in (path, *path.parents) if str(folder) in found), "")


def _file(path: Path) -> Iterator[Finding]:
    if not os.access(path, os.R_OK | os.W_OK):
        fix = f"run this as the user of Gatepost, or make {path} readable and writable for this one"
        yield Finding("store", State.ERROR, f"{path} is closed to this user", fix)
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            faults = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except sqlite3.Error as error:
        yield Finding("store", State.ERROR, f"{path}: {error}", "put a backup back: docs/operations.md")
        return
    if faults == ["ok"]:
        yield Finding("store", State.OK, f"SQLite {sqlite3.sqlite_version}, {path}, sound")
    else:
        found = f"{path} is damaged: {'; '.join(faults)}"
        yield Finding("store", State.ERROR, found, "put a backup back: docs/operations.md")
    if mode != "wal":
        fix = "restart Gatepost, which switches to it"
        yield Finding("write-ahead log", State.WARNING, f"the journal mode is {mode}, not wal", fix)


def _place(path: Path) -> Iterator[Finding]:
    if not _MOUNTS.exists():
        return
    kind = filesystem(path.resolve(), _MOUNTS.read_text(encoding="utf-8", errors="replace"))
    if kind in _OF_A_NETWORK:
        fix = "set GATEPOST_STATE_DIR to a local disk, or use a database: docs/database.md"
        found = f"the store is on {kind}, which SQLite's write-ahead log cannot use safely"
        yield Finding("file system", State.ERROR, found, fix)
