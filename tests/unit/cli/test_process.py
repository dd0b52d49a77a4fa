import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from app.cli.ports import accepts, free_ports
from app.cli.process import Child, Command, group_exists

pytestmark = pytest.mark.anyio
WAIT = "import signal, sys, time; print('up', flush=True); time.sleep(600)"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(code: str, said: list[tuple[str, str]], **options: object) -> AsyncIterator[Child]:
    command = Command("child", [sys.executable, "-c", code], lambda: os.environ, **options)  # type: ignore[arg-type]
    child = Child(command, lambda process, line: said.append((process, line)), lambda: None)
    task = asyncio.create_task(child.run())
    try:
        yield child
    finally:
        child.stop()
        await task


async def test_a_process_that_is_killed_is_started_again_and_that_is_said() -> None:
    said: list[tuple[str, str]] = []
    async with running(WAIT, said) as child:
        await until(lambda: ("child", "up") in said)
        first = child.pid or 0
        os.kill(first, signal.SIGKILL)
        await until(lambda: said.count(("child", "up")) == 2)
        assert child.pid != first
        assert ("gatepost", "child was killed by SIGKILL; starting it again in 0.2 s") in said


async def test_each_wait_is_longer_than_the_one_before() -> None:
    said: list[tuple[str, str]] = []
    async with running("raise SystemExit(4)", said) as child:
        await until(lambda: child.restarts == 3)
    waits = [line.rpartition(" in ")[2] for process, line in said if process == "gatepost"]
    assert waits[:3] == ["0.2 s", "0.4 s", "0.8 s"]
    assert "ended with code 4" in said[0][1]


async def test_what_a_killed_process_leaves_in_its_group_is_ended() -> None:
    said: list[tuple[str, str]] = []
    spawn = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    )
    async with running(spawn + WAIT, said) as child:
        await until(lambda: ("child", "up") in said)
        first = child.pid or 0
        os.kill(first, signal.SIGKILL)
        await until(lambda: not group_exists(first))


async def test_a_process_that_ignores_the_request_is_ended_all_the_same() -> None:
    said: list[tuple[str, str]] = []
    deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + WAIT
    async with running(deaf, said, stop=signal.SIGINT, patience_s=0.1) as child:
        await until(lambda: ("child", "up") in said)
        pid = child.pid or 0
    assert not group_exists(pid)


async def test_stopping_during_the_wait_starts_nothing_more() -> None:
    said: list[tuple[str, str]] = []
    async with running("raise SystemExit(1)", said) as child:
        await until(lambda: child.restarts == 2)
    assert child.pid is None


async def test_a_line_without_end_does_not_stop_the_lines_after_it() -> None:
    said: list[tuple[str, str]] = []
    async with running("print('x' * 3_000_000 + '\\n' + 'after', flush=True)\n" + WAIT, said):
        await until(lambda: ("child", "after") in said)


async def test_a_process_starts_only_when_what_it_needs_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, str]] = []
    answers: list[bool] = []

    async def noted(host: str, port: int) -> bool:
        answers.append(await accepts(host, port))
        return answers[-1]

    monkeypatch.setattr("app.cli.process.accepts", noted)
    port = free_ports(1)[0]
    async with running(WAIT, said, needs=(("127.0.0.1", port),)) as child:
        await until(lambda: len(answers) > 1)
        assert child.pid is None
        async with await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port):
            await until(lambda: ("child", "up") in said)


async def test_a_process_that_cannot_be_started_is_tried_again() -> None:
    said: list[str] = []
    command = Command("child", ["/nowhere/program"], lambda: os.environ)
    child = Child(command, lambda _process, line: said.append(line), lambda: None)
    task = asyncio.create_task(child.run())
    await until(lambda: child.restarts == 2)
    child.stop()
    await task
    assert said[0] == "child could not be started: No such file or directory; starting it again in 0.2 s"
