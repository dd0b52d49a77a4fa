"""What every store must do for single-use codes, whatever number of processes take them."""

import asyncio
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection

from app.core.store import Store
from tests.contract.store import OpenAnother

CODES = [f"{number:02}" for number in range(40)]
SPAWN = multiprocessing.get_context("spawn")


def _take_all(open_another: OpenAnother, says: Connection) -> None:
    async def work() -> None:
        store = await open_another()
        says.send("ready")
        says.recv()
        for code in CODES:
            if await store.take("codes", code):
                says.send(code)
        await store.close()
        says.send("done")

    asyncio.run(work())


async def test_of_many_processes_one_gets_each_code_though_another_is_killed(
    open_another: OpenAnother, store: Store
) -> None:
    await store.put_new("codes", {code: {} for code in CODES})
    takers = []
    for _ in range(4):
        here, there = SPAWN.Pipe()
        process = SPAWN.Process(target=_take_all, args=(open_another, there))
        process.start()
        takers.append((process, here))
    for _, here in takers:
        assert await asyncio.to_thread(here.recv) == "ready"
    for _, here in takers:
        here.send("go")
    killed = takers[0][0]
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)
    taken: list[str] = []
    for process, here in takers:
        taken += await asyncio.to_thread(_said, here)
        await asyncio.to_thread(process.join, 30)
    assert len(taken) == len(set(taken))
    assert await store.dump("codes", None, 1) == []
    assert len(CODES) - len(taken) <= 1, "one may be lost with the process that had just taken it"


def _said(here: Connection) -> list[str]:
    said: list[str] = []
    while here.poll(30):
        try:
            word = here.recv()
        except (EOFError, ConnectionResetError):
            break
        if word == "done":
            break
        said.append(word)
    return said
