"""The faults, each as a block of code during which it lasts."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from bench.rig import Rig
from tests.e2e.faults.processes import Paused, kill, pid_of, worker_of
from tests.e2e.trouble import LIST, call_of, trouble

Fault = Callable[[Rig], AbstractContextManager[object]]


@contextmanager
def killed(parts: Rig, name: str) -> Iterator[None]:
    """Killed once at the start; it comes back while the block runs."""
    kill(parts.stack, name)
    yield


@contextmanager
def locked_store(parts: Rig) -> Iterator[None]:
    """Another program holds SQLite's exclusive lock."""
    with sqlite3.connect(parts.stack.file("gatepost.db"), isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield
        database.execute("ROLLBACK")


def upstream(kind: str, message: dict[str, Any]) -> Fault:
    """Four callers of another server, which is in trouble."""
    return lambda parts: trouble(parts.attach(kind), message)


LASTING: dict[str, Fault] = {
    "auth hangs": lambda parts: Paused(pid_of(parts.stack, "auth")),
    "auth is killed": lambda parts: killed(parts, "auth"),
    "the registry is killed": lambda parts: killed(parts, "registry"),
    "an upstream never answers": upstream("silent", call_of("any")),
    "an upstream answers slowly": upstream("slow", call_of("any")),
    "an upstream resets in a call": upstream("resetting", call_of("any")),
    "an upstream resets in a stream": upstream("resetting", call_of("any", stream=1)),
    "an upstream sends 100 MB": upstream("huge", call_of("any")),
    "an upstream sends a list of 100 MB": upstream("huge", LIST),
    "an upstream sends an event of 100 MB": upstream("huge", call_of("any", event=1)),
    "an upstream sends 100 MB of blank lines": upstream("huge", call_of("any", blank=1)),
    "an upstream sends broken events": upstream("broken-events", call_of("any")),
    "an upstream has 1000 pages": upstream("paged", LIST),
    "the store is locked": locked_store,
}
"""Those that cost a good server's callers nothing."""

KILLED: dict[str, Callable[[Rig], None]] = {
    "a worker is killed": lambda parts: os.kill(worker_of(parts.stack), signal.SIGKILL),
    "the gateway is killed": lambda parts: kill(parts.stack, "gateway"),
}
"""Those that break what is under way: what counts is how soon all is back."""
