"""What of a file is sent at once: whole lines, as they are."""

import json
import os
from dataclasses import dataclass
from typing import BinaryIO

from app.core.audit_line import parse

BATCH_BYTES = 256 * 1024


@dataclass(frozen=True)
class Batch:
    """`lines` are what to send, each with its end; `end` is the place behind them in the file."""

    lines: bytes
    end: int
    left_out: int = 0


def next_batch(file: BinaryIO, offset: int, longest: int, *, settled: bool = False) -> Batch | None:
    """The lines from `offset` on; None where there is no whole one yet.

    A line longer than a batch is cut to what the registry keeps; one longer than `longest` bytes is left out.
    In a `settled` file a last line without an end will never get one, and goes as it is.
    """
    data = os.pread(file.fileno(), BATCH_BYTES, offset)
    if whole := data.rfind(b"\n") + 1:
        return Batch(data[:whole], offset + whole)
    if len(data) == BATCH_BYTES:
        return _long_line(file, offset, longest)
    if data and settled:
        return Batch(data + b"\n", offset + len(data))
    return None


def _long_line(file: BinaryIO, offset: int, longest: int) -> Batch | None:
    file.seek(offset)
    line = file.readline(longest)
    end = offset + len(line)
    if not line.endswith(b"\n"):
        return None if len(line) < longest else Batch(b"", end, left_out=1)
    try:
        event = parse(line)
    except ValueError:
        return Batch(b"", end, left_out=1)
    return Batch(json.dumps(event).encode() + b"\n", end)
