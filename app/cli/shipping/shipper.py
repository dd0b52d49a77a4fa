"""The loop: looks at the files once a second, sends what is new, waits longer where it is not taken."""

import contextlib
import fcntl
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from app.cli.output import CliError
from app.cli.shipping import places
from app.cli.shipping.batch import next_batch
from app.cli.shipping.files import LogFile, log_files
from app.cli.shipping.intake import Intake, NotTakenError
from app.cli.shipping.notices import Notices
from app.core.settings import Settings

LOOK_EVERY_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
REST = 2.0
"""How long it rests after a batch, as a multiple of the time that batch took: calls come first."""
LONGEST_REST_S = 1.0
NICENESS = 10
_log = structlog.get_logger("gatepost.audit")


class Shipper:
    """Sends whole lines, then notes the place: killed between the two, it sends them again, kept once."""

    def __init__(self, settings: Settings, intake: Intake) -> None:
        self._audit = settings.audit_path.absolute()
        self._place_file = self._audit.with_name(f"{self._audit.stem}-place.json")
        # Texts of a line come from one request's body, where each letter may have become an escape of six.
        self._longest = 6 * settings.max_body + 64 * 1024
        self._intake = intake
        self._notices = Notices()
        self._sent = places.load(self._place_file)
        self._found: dict[str, tuple[str, int]] = {}
        self._broken = 0

    def look(self) -> None:
        """One look at every file; returns when all that is there was sent. Raises NotTakenError, OSError."""
        self._say_a_full_disk()
        found = self._measure()
        if self._sent.keys() - found:  # a listing can miss a file that is being renamed
            found |= self._measure()
        for key in self._sent.keys() - found:
            self._forget(key)
        self._found = found
        sent = {key: self._sent.get(key, 0) for key in found}
        # A file that was cut short in the middle is sent again.
        self._sent = {key: place if place <= found[key][1] else 0 for key, place in sent.items()}
        if self.behind():
            for log in log_files(self._audit):
                self._send(log)

    def behind(self) -> int:
        """Bytes that were not sent at the last look."""
        return sum(max(0, size - self._sent.get(key, 0)) for key, (_, size) in self._found.items())

    def run(self) -> None:
        """Go on until killed."""
        wait = FIRST_WAIT_S
        while True:
            try:
                self.look()
            except NotTakenError as error:
                self._notices.trouble("intake", f"audit lines wait: {error}", behind_bytes=self.behind())
                time.sleep(wait * random.uniform(0.5, 1))  # noqa: S311  (jitter)
                wait = min(2 * wait, LONGEST_WAIT_S)
                continue
            except OSError as error:
                self._notices.trouble("read", f"the audit log cannot be read: {error}; run as its owner")
            else:
                self._notices.over("read", "the audit log can be read again")
            self._notices.over("intake", "all audit lines that waited are sent")
            wait = FIRST_WAIT_S
            time.sleep(LOOK_EVERY_S)

    def _measure(self) -> dict[str, tuple[str, int]]:
        return {log.key: (log.name, log.size) for log in log_files(self._audit)}

    def _send(self, log: LogFile) -> None:
        offset = self._sent.get(log.key, 0)
        while batch := next_batch(log.file, offset, self._longest, settled=log.settled):
            began = time.monotonic()
            broken = batch.left_out + (self._intake.send(batch.lines).broken if batch.lines else 0)
            offset = self._sent[log.key] = batch.end
            self._save()
            if broken:
                self._broken += broken
                text = f"{log.name} has lines that are no audit events; they are left out"
                self._notices.trouble("broken", text, lines_so_far=self._broken)
            time.sleep(min(REST * (time.monotonic() - began), LONGEST_REST_S))

    def _save(self) -> None:
        try:
            places.save(self._place_file, self._sent)
        except OSError as error:
            text = f"{self._place_file} cannot be written: {error.strerror}; sending goes on"
            self._notices.trouble("place", text)
        else:
            self._notices.over("place", f"{self._place_file} can be written again")

    def _forget(self, key: str) -> None:
        name, size = self._found.get(key, ("", 0))
        missed = size - self._sent[key]
        if missed > 0:
            text = "went away or was truncated before all of it was sent; what no file beside it has is lost"
            _log.error(f"{name} {text}", unsent_bytes=missed)

    def _say_a_full_disk(self) -> None:
        try:
            disk = os.statvfs(self._audit.parent)
        except OSError:
            return
        if disk.f_bfree if os.geteuid() == 0 else disk.f_bavail:
            self._notices.over("disk", "the disk of the audit log has room again")
        else:
            text = f"the disk of {self._audit.parent} is full: audit lines of calls made now are lost"
            self._notices.trouble("disk", text)


def ship(settings: Settings) -> None:
    """Ship until SIGTERM. Raises CliError where it cannot begin.

    What is on disk is sound at every moment, so it ends wherever it is.
    """
    if not settings.secret("gateway_secret"):
        raise CliError(
            "the registry takes audit lines by the gateway's secret: set GATEPOST_GATEWAY_SECRET_FILE."
        )
    for request in (signal.SIGTERM, signal.SIGINT):
        signal.signal(request, lambda *_: sys.exit(0))
    os.nice(NICENESS)
    folder = settings.audit_path.absolute().parent
    with _locked(folder):
        intake = Intake(settings)
        _log.info("audit lines go to the registry", file=str(settings.audit_path), registry=intake.url)
        Shipper(settings, intake).run()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise CliError(
            f"{folder}, the folder of the audit log, cannot be used: {error.strerror}. "
            "Run as its owner, or name the log by GATEPOST_AUDIT_FILE."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.warning(f"another gatepost audit ship works in {folder}; this one waits until that has ended")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)
