"""A registry's intake in memory, which fails as it is told; and a log as NGINX writes it."""

import json
from collections import Counter
from pathlib import Path

from app.cli.shipping.intake import Intake, NotTakenError, Taken
from app.cli.shipping.shipper import Shipper
from app.core.audit_line import parse
from app.core.settings import Settings


class KilledError(Exception):
    """The shipper is killed here."""


class Shelf(Intake):
    """Keeps events by request id; `fault` is what happens at the next batch: before or after it is kept."""

    def __init__(self) -> None:
        self.url = "the shelf"
        self.sent: Counter[str] = Counter()
        self.fault: str | None = None

    def send(self, lines: bytes) -> Taken:
        fault, self.fault = self.fault, None
        if fault == "away":
            raise NotTakenError("it is away")
        before = len(self.sent)
        broken = 0
        for line in lines.splitlines():
            try:
                self.sent[str(parse(line)["request_id"])] += 1
            except ValueError:
                broken += 1
        if fault == "answer lost":
            raise NotTakenError("the answer was lost")
        if fault == "killed":
            raise KilledError
        return Taken(len(self.sent) - before, broken)


class Log:
    """The audit log in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.jsonl"
        self.place = folder / "audit-place.json"
        self.shelf = Shelf()
        self.whole: list[str] = []
        self.rotations = 0
        self._pending: tuple[str, bytes] | None = None

    def shipper(self) -> Shipper:
        """A shipper as a process that starts now."""
        return Shipper(Settings(audit_file=self.path), self.shelf)

    def write(self, count: int = 1, letters: int = 0) -> None:
        """Write whole lines, the rest of a torn one first."""
        self.finish()
        for _ in range(count):
            self.tear(letters, 1.0)
            self.finish()

    def tear(self, letters: int, share: float) -> None:
        """Write a part of a line."""
        self.finish()
        name = f"r{len(self.whole)}"
        members = {"time": "2026-01-31T12:00:00Z", "request_id": name, "tool": "x" * letters}
        line = json.dumps(members, separators=(",", ":")).encode() + b"\n"
        cut = int(share * (len(line) - 1))
        self._append(line[:cut])
        self._pending = (name, line[cut:])

    def finish(self) -> None:
        """Write the rest of a torn line."""
        if self._pending:
            self._append(self._pending[1])
            self.whole.append(self._pending[0])
            self._pending = None

    def lose(self) -> None:
        """The rest of a torn line is lost, as on a full disk."""
        self._pending = None

    def rename(self) -> None:
        """Rotate; the next write makes a new file."""
        self.rotations += 1
        self.path.rename(self.path.with_name(f"audit.jsonl.{self.rotations}"))

    def copy_and_truncate(self) -> None:
        """Rotate in the other way."""
        self.rotations += 1
        self.path.with_name(f"audit.jsonl-{self.rotations}").write_bytes(self.path.read_bytes())
        self.path.write_bytes(b"")

    def _append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
