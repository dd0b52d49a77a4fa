"""Callers and streams that go on while something happens to the gateway, and what came of each."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.stack import Stack, until
from tests.e2e.wire import BrokenOffError, Connection

CALLERS, STREAMS = 16, 8
BACK_OFF_S = 0.02


@dataclass
class Seen:
    """`wrong` are answers that are not this call's, `failed` are errors and broken connections.

    `dropped` are streams that ended. `took` has (when it was sent, seconds) of each good call.
    """

    took: list[tuple[float, float]] = field(default_factory=list)
    events: int = 0
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    open_streams: int = 0

    @property
    def clean(self) -> bool:
        """Whether every call was answered and every stream is whole."""
        return not (self.wrong or self.failed or self.dropped)

    def goes_on(self, calls: int = 50, seconds: float = 20) -> None:
        """Wait until that many more calls were answered, and another event came."""
        before, events = len(self.took), self.events
        until(lambda: len(self.took) >= before + calls and self.events > events, seconds, "more answers")


@dataclass(frozen=True)
class Target:
    """Where the load goes: a server of `tests.e2e.troubled` at `url`, by a token that may call it."""

    stack: Stack
    slug: str
    token: str
    url: str = ""

    @property
    def path(self) -> str:
        """The server at the gateway."""
        return f"/mcp/{self.slug}"

    def headers(self, accept: str = "application/json, text/event-stream") -> dict[str, str]:
        """As the SDKs send them."""
        return {
            "Accept": accept,
            "Accept-Encoding": "gzip, deflate",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "MCP-Protocol-Version": "2025-11-25",
            "User-Agent": "load/1.0",
        }


def tool_call(request_id: int | str, tool: str, **arguments: object) -> bytes:
    """A `tools/call` as an SDK writes it."""
    params = {"name": tool, "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}).encode()


@contextmanager
def load(
    target: Target, callers: int = CALLERS, streams: int = STREAMS, pause_s: float = 0.02
) -> Iterator[Seen]:
    """Run the load in a thread of its own until the block ends; it begins with every stream open."""
    seen = Seen()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    everyone = _everyone(target, seen, stop, callers, streams, pause_s)
    thread = threading.Thread(target=loop.run_until_complete, args=(everyone,), daemon=True)
    thread.start()
    try:
        until(lambda: seen.open_streams == streams and (seen.took or not callers), what="the load")
        yield seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


async def _everyone(
    target: Target, seen: Seen, stop: asyncio.Event, callers: int, streams: int, pause_s: float
) -> None:
    tasks = [asyncio.create_task(_listen(target, seen, number)) for number in range(streams)]
    tasks += [asyncio.create_task(_go_on(target, seen, number, pause_s)) for number in range(callers)]
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    seen.wrong += [repr(task.exception()) for task in done - {stopping}]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _go_on(target: Target, seen: Seen, caller: int, pause_s: float) -> None:
    """Calls on one connection, each with a text of its own, at a steady pace."""
    connection = Connection(target.stack.url)
    headers = target.headers()
    number = 0
    try:
        while True:
            number += 1
            text, began = f"{caller}-{number}", time.monotonic()
            try:
                await connection.send("POST", target.path, headers, tool_call(number, "echo", text=text))
                answer = await connection.json()
            except (BrokenOffError, OSError, TimeoutError, ValueError) as error:
                connection.close()
                seen.failed.append(repr(error))
                await asyncio.sleep(BACK_OFF_S)
                continue
            took = time.monotonic() - began
            if _echoes(answer, number, text):
                seen.took.append((began, took))
            elif "error" in answer:
                seen.failed.append(json.dumps(answer["error"]))
            else:
                seen.wrong.append(f"{answer} to call {number} with {text}")
            await asyncio.sleep(max(0.0, pause_s - took))
    finally:
        connection.close()


def _echoes(answer: dict[str, Any], number: int, text: str) -> bool:
    result = answer.get("result") or {"content": [{"text": None}]}
    return bool(answer.get("id") == number and result["content"][0]["text"] == text)


async def _listen(target: Target, seen: Seen, number: int) -> None:
    """A stream that ends is opened again, as clients do."""
    while True:
        connection = Connection(target.stack.url)
        try:
            await _count_events(connection, target, seen, number)
            seen.dropped.append(f"stream {number}: a proper end, status {connection.status}")
        except (BrokenOffError, OSError, TimeoutError) as error:
            seen.dropped.append(f"stream {number}: {error!r}")
        finally:
            connection.close()
        await asyncio.sleep(BACK_OFF_S)


async def _count_events(connection: Connection, target: Target, seen: Seen, number: int) -> None:
    """One call, whose events are numbered and have no end."""
    await connection.send("POST", target.path, target.headers(), tool_call(number, "ticks"))
    if connection.status != 200:
        return
    seen.open_streams += 1
    due = 0
    async for line in connection.lines():
        if line.startswith("data:"):
            tick = json.loads(line[5:])["params"]["progress"]
            if tick != due:
                seen.wrong.append(f"stream {number}: event {tick} in place of {due}")
            due = tick + 1
            seen.events += 1
