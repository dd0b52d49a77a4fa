"""What runs from a state folder: a lock, and a file of processes in which a reused pid is recognised."""

import contextlib
import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from app.cli.state import StateFolder


class RunningProcess(BaseModel):
    """A process by pid and start time: together they never name another one."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: str
    since: float
    restarts: int = 0

    @classmethod
    def of(cls, pid: int, restarts: int = 0) -> "RunningProcess":
        """The process that has this pid now."""
        return cls(pid=pid, started=start_time(pid) or "", since=time.time(), restarts=restarts)

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return bool(self.started) and start_time(self.pid) == self.started


class Run(BaseModel):
    """`ready` once a request through the gateway was answered; `failure` where the start was given up."""

    supervisor: RunningProcess
    url: str
    username: str
    metrics: str = ""
    ready: bool = False
    failure: str | None = None
    processes: dict[str, RunningProcess] = {}

    def save(self, state: StateFolder) -> None:
        """Replace the run file in one step."""
        fresh = state.run_file.with_suffix(".new")
        fresh.write_text(self.model_dump_json(indent=2) + "\n")
        fresh.replace(state.run_file)

    @classmethod
    def load(cls, state: StateFolder) -> "Run | None":
        """What the run file says, whether or not it still runs; None where there is none that can be read."""
        try:
            return cls.model_validate(json.loads(state.run_file.read_text()))
        except (OSError, ValueError):
            return None

    @classmethod
    def current(cls, state: StateFolder) -> "Run | None":
        """The run whose supervisor is alive now."""
        run = cls.load(state)
        return run if run and run.supervisor.is_alive() else None


def start_time(pid: int) -> str | None:
    """A process's start time in the system's own words; None where it does not run (a zombie does not)."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None


@contextlib.contextmanager
def locked(state: StateFolder) -> Iterator[bool]:
    """Whether the state folder is this process's own; until the block ends, in forked children too."""
    handle = os.open(state.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
