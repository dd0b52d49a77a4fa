"""One supervised process: started, its lines passed on, started again with backoff when it dies."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

from app.cli.ports import accepts

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
HEALTHY_AFTER_S = 30.0
LOG_BYTES = 10_000_000
LINE_BYTES = 1024 * 1024
RECENT_LINES = 20
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Command:
    """What to run, and how it is asked to end: `stop` first, then harder after `patience_s` seconds.

    `needs` are the ports on this machine that must be open before its first start.
    """

    name: str
    arguments: list[str]
    environ: Callable[[], Mapping[str, str]]
    stop: signal.Signals = signal.SIGTERM
    patience_s: float = 10.0
    needs: tuple[tuple[str, int], ...] = ()


class LogFile:
    """`<folder>/<process>.log`, kept below 10 MB with one older part."""

    def __init__(self, path: Path) -> None:
        self._handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")

    def write(self, line: str) -> None:
        """Add one line."""
        self._handler.emit(logging.makeLogRecord({"msg": line}))


class Child:
    """A process in a group of its own: Ctrl-C reaches the supervisor alone, what it leaves can be ended."""

    def __init__(
        self, command: Command, line: Callable[[str, str], None], changed: Callable[[], None]
    ) -> None:
        self.command = command
        self.restarts = 0
        self.pid: int | None = None
        self.ended = ""
        self.recent: deque[str] = deque(maxlen=RECENT_LINES)
        self._line = line
        self._changed = changed
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Keep it running until `stop`; says each death, its cause and the wait before the next start."""
        await self._wait_for_needs()
        delay = FIRST_DELAY_S
        while not self._stopping.is_set():
            began = time.monotonic()
            ended = await self._once()
            if self._stopping.is_set():
                return
            if time.monotonic() - began >= HEALTHY_AFTER_S:
                delay = FIRST_DELAY_S
            self.restarts += 1
            self.ended = ended
            self._line("gatepost", f"{self.command.name} {self.ended}; starting it again in {delay:g} s")
            self._changed()
            await self._pause(delay)
            delay = min(delay * 2, LONGEST_DELAY_S)

    async def _wait_for_needs(self) -> None:
        for host, port in self.command.needs:
            while not self._stopping.is_set() and not await accepts(host, port):
                await self._pause(POLL_SECONDS)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _once(self) -> str:
        # A pipe of our own: asyncio's would hide a death until those who inherited the pipe are gone too.
        receiving, sending = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command.arguments,
                env=dict(self.command.environ()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sending,
                stderr=sending,
                start_new_session=True,
            )
        except OSError as error:  # no memory for a fork, no program: later there may be
            os.close(receiving)
            return f"could not be started: {error.strerror}"
        finally:
            os.close(sending)
        self.pid = process.pid
        self._changed()
        reader = asyncio.create_task(self._pass_on(receiving))
        stopper = asyncio.create_task(self._stop_when_asked(process))
        try:
            return describe_exit(await process.wait())
        finally:
            stopper.cancel()
            self.pid = None
            # NGINX's workers outlive a master that was killed, and would keep its port.
            end_group(process.pid, signal.SIGKILL)
            await reader

    async def _pass_on(self, receiving: int) -> None:
        loop = asyncio.get_running_loop()
        stream = asyncio.StreamReader(limit=LINE_BYTES)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(receiving, "rb", buffering=0)
        )
        with contextlib.closing(transport):
            while line := await self._read_line(stream):
                self.recent.append(line.decode(errors="replace").rstrip())
                self._line(self.command.name, self.recent[-1])

    async def _read_line(self, stream: asyncio.StreamReader) -> bytes:
        try:
            return await stream.readline()
        except ValueError:
            return f"(a line of more than {LINE_BYTES} bytes was left out)\n".encode()

    async def _stop_when_asked(self, process: asyncio.subprocess.Process) -> None:
        await self._stopping.wait()
        for request in (self.command.stop, signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(request)
            await asyncio.sleep(self.command.patience_s if request is self.command.stop else 2)

    def stop(self) -> None:
        """Ask it to end; `run` returns when it has."""
        self._stopping.set()


def describe_exit(code: int) -> str:
    """`was killed by SIGKILL` or `ended with code 1`."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def group_exists(leader: int) -> bool:
    """Whether any process of the group is left; while one is, nobody else gets the leader's pid."""
    try:
        os.killpg(leader, 0)
    except OSError:
        return False
    return True


def end_group(pid: int, request: signal.Signals) -> None:
    """Signal a whole process group that this program made; nothing happens where it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, request)
