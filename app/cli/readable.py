"""Log lines for people: the processes write JSON, this makes one short line of each; and following a file."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

HIDDEN = frozenset({"event", "level", "timestamp", "process", "logger"})
POLL_SECONDS = 0.2


def readable(process: str, line: str) -> str:
    """`process │ message name=value`; a line that is no JSON object stays as it is."""
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or "event" not in entry:
        return f"{process:<8} │ {line}"
    level = str(entry.get("level", "info"))
    marked = "" if level in {"info", "debug"} else f"{level}: "
    rest = " ".join(f"{name}={value}" for name, value in entry.items() if name not in HIDDEN)
    return f"{process:<8} │ {marked}{entry['event']}{' ' if rest else ''}{rest}"


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log file, oldest first; none where there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 400 * count))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


async def follow(path: Path, *, from_end: bool = True) -> AsyncIterator[str]:
    """Lines as they are added to a file, which may not be there yet, be cut short or be replaced."""
    _, position = _read_from(path, 0) if from_end else (b"", 0)
    pending = b""
    while True:
        added, position = _read_from(path, position)
        *lines, pending = (pending + added).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
        await asyncio.sleep(POLL_SECONDS)


def _read_from(path: Path, position: int) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            file.seek(position if position <= file.seek(0, 2) else 0)
            return file.read(), file.tell()
    except FileNotFoundError:
        return b"", 0
