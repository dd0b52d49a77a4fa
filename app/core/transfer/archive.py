"""The file of an export: JSON, one object a line.

The first line is the header: `{"gatepost_export": 1, "schema": 1, "made_at": …}`, where `schema` is the
version of the documents. Then one line for each document: `{"collection", "id", "revision", "expires_at",
"body"}`, with milliseconds since the epoch. The last is the trailer: `{"end": {"servers": {"count": 3,
"sha256": "…"}}, "change": 12}`: the hash is that of the collection's lines, the number that of the newest
change of policy among them.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.store import Stored

FORMAT = 1
OWN = {"schema", "import"}
"""Documents of `meta` that say something of their store alone, and stay there."""

Totals = dict[str, dict[str, Any]]


class TransferError(Exception):
    """An export or import that cannot be done; the message names what, why, and the fix."""


@dataclass
class Tally:
    """Counts and hashes of documents, collection by collection, in the order in which they are added."""

    _counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _hashes: dict[str, Any] = field(default_factory=lambda: defaultdict(hashlib.sha256))

    def add(self, collection: str, line: str) -> None:
        """Count one document's line."""
        self._counts[collection] += 1
        self._hashes[collection].update(line.encode())

    @property
    def totals(self) -> Totals:
        """As the trailer has them."""
        return {
            name: {"count": self._counts[name], "sha256": self._hashes[name].hexdigest()}
            for name in sorted(self._counts)
        }


def line_of(collection: str, stored: Stored) -> str:
    """The line of a document, always the same for the same document."""
    return _dump(
        {
            "collection": collection,
            "id": stored.id,
            "revision": stored.revision,
            "expires_at": stored.expires_at,
            "body": stored.body,
        }
    )


def header_line(schema: int, made_at: str) -> str:
    """The first line."""
    return _dump({"gatepost_export": FORMAT, "schema": schema, "made_at": made_at})


def trailer_line(totals: Totals, change: int) -> str:
    """The last line."""
    return _dump({"end": totals, "change": change})


@dataclass(frozen=True)
class Archive:
    """A file that was read once and found whole."""

    path: Path
    change: int
    schema: int
    sha256: str
    lines: int

    @classmethod
    def verify(cls, path: Path) -> "Archive":
        """Read all of it. Raises TransferError for a file that is none, is cut off or was altered."""
        whole, tally, header, end, change, lines = hashlib.sha256(), Tally(), None, None, 0, 0
        try:
            with path.open(encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    whole.update(line.encode())
                    found = _parse(path, number, line)
                    if header is None:
                        header = _header(path, found)
                    elif end is not None:
                        raise TransferError(f"{path}:{number}: there is more after its end; export it again")
                    elif "end" in found:
                        end, change = found["end"], found["change"]
                    else:
                        tally.add(found["collection"], line.rstrip("\n"))
                        lines += 1
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            fix = "name a file made by `gatepost export`"
            raise TransferError(f"{path} cannot be read: {reason}; {fix}") from error
        if header is None or end is None:
            raise TransferError(f"{path} ends in the middle; copy it or export it again")
        if end != tally.totals:
            wrong = sorted(
                name for name in end.keys() | tally.totals if end.get(name) != tally.totals.get(name)
            )
            raise TransferError(f"{path} was altered: {', '.join(wrong)}; copy it or export it again")
        return cls(path, change, header["schema"], whole.hexdigest(), lines)

    def documents(self) -> Iterator[tuple[str, Stored]]:
        """Each document with its collection, in the file's order."""
        with self.path.open(encoding="utf-8") as file:
            next(file)
            for line in file:
                found = json.loads(line)
                if "end" in found:
                    return
                yield (
                    found["collection"],
                    Stored(found["id"], found["revision"], found["body"], found["expires_at"]),
                )


def _parse(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not line.endswith("\n") or not isinstance(found, dict):
        raise TransferError(f"{path}:{number} is no line of an export; copy it or export it again")
    return found


def _header(path: Path, found: Mapping[str, Any]) -> Mapping[str, Any]:
    version = found.get("gatepost_export")
    if version is None:
        raise TransferError(f"{path} was not made by `gatepost export`")
    if version != FORMAT:
        raise TransferError(
            f"{path} has format {version}, this program reads {FORMAT}; use the newer Gatepost"
        )
    return found


def _dump(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
