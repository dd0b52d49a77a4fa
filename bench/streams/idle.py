"""Clients that hold a GET stream each and hear nothing on it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.load import Target
from tests.e2e.stack import until
from tests.e2e.wire import BrokenOffError, Connection

AT_ONCE = 50
OPENING_S = 60.0


@contextmanager
def idle_streams(target: Target, count: int) -> Iterator[list[str]]:
    """That many streams, all open; the list tells of each that ended before the block did."""
    dropped: list[str] = []
    opened: list[int] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def everyone() -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        tasks = [asyncio.create_task(_hold(target, number, gate, opened, dropped)) for number in range(count)]
        await stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(everyone(),), daemon=True)
    thread.start()
    try:
        until(lambda: len(opened) + len(dropped) == count, OPENING_S, f"the opening of {count} streams")
        yield dropped
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


async def _hold(
    target: Target, number: int, gate: asyncio.Semaphore, opened: list[int], dropped: list[str]
) -> None:
    connection = Connection(target.stack.url)
    try:
        async with gate:
            await connection.send("GET", target.path, target.headers("text/event-stream"))
        lines = connection.lines()
        if connection.status == 200 and await anext(lines) == ": open":
            opened.append(number)
            async for _ in lines:
                pass
        dropped.append(f"stream {number} ended, status {connection.status}")
    except (BrokenOffError, OSError, TimeoutError) as error:
        dropped.append(f"stream {number}: {error!r}")
    finally:
        connection.close()
