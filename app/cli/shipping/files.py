"""The audit log as files: the one that NGINX writes, and those that rotation put beside it."""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PACKED = {".gz", ".bz2", ".xz", ".zst"}
_HEAD = 4096
"""A first line is known by its beginning, which holds the id of its request."""
_SETTLED_S = 60.0


@dataclass(frozen=True)
class LogFile:
    """An open file of the log.

    `key` says which file it is, whatever it is called: its inode, and its first line, since inodes are used
    again and a truncated file keeps its own. `settled`: NGINX has long gone on to another file.
    """

    file: BinaryIO
    key: str
    name: str
    size: int
    settled: bool


def log_files(audit: Path) -> Iterator[LogFile]:
    """Each file that has a whole first line, oldest first, open until the next one is asked for."""
    for path in _paths(audit):
        try:
            file = path.open("rb")
        except FileNotFoundError:  # renamed meanwhile: the next look finds it under its new name
            continue
        with file:
            state = os.fstat(file.fileno())
            key = _key(file, state.st_ino)
            if key:
                settled = path != audit and time.time() - state.st_mtime > _SETTLED_S
                yield LogFile(file, key, path.name, state.st_size, settled)


def _paths(audit: Path) -> list[Path]:
    rotated = []
    for path in audit.parent.glob(f"{audit.name}?*"):
        try:
            if path.suffix not in _PACKED and path.is_file():
                rotated.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:
            continue
    return [*(path for _, path in sorted(rotated)), audit]


def _key(file: BinaryIO, inode: int) -> str | None:
    head = os.pread(file.fileno(), _HEAD, 0)
    end = head.find(b"\n") + 1
    if not end and len(head) < _HEAD:
        return None
    return f"{inode}-{hashlib.sha256(head[: end or None]).hexdigest()[:16]}"
