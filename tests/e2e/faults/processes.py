"""The processes of a running Gatepost, by the pids in its run file."""

import os
import signal
from pathlib import Path

from app.cli.runfile import Run
from app.cli.state import StateFolder
from tests.e2e.stack import Stack, until


def pid_of(stack: Stack, name: str) -> int:
    """Of auth, registry, gateway (NGINX's master), or the supervisor of them all."""
    run = Run.load(StateFolder(stack.file()))
    assert run, f"{stack.file()} has no run file"
    return (run.supervisor if name == "supervisor" else run.processes[name]).pid


def worker_of(stack: Stack) -> int:
    """The one worker of the gateway."""
    master = pid_of(stack, "gateway")
    (worker,) = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return int(worker)


def kill(stack: Stack, name: str) -> None:
    """kill -9, and wait until the supervisor has started it again."""
    before = pid_of(stack, name)
    os.kill(before, signal.SIGKILL)
    until(lambda: pid_of(stack, name) != before, what=f"the restart of {name}")


class Paused:
    """A process that answers nothing, as one that hangs; it goes on afterwards."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def __enter__(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        os.kill(self.pid, signal.SIGCONT)
