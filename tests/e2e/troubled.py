"""An MCP server, good or in one kind of trouble: `python -m tests.e2e.troubled <kind> <port>`.

The good kind answers `echo` at once, `ticks` by an event every 50 ms without end, and GET by a silent stream.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.exchange import EVENTS, JSON, Answering, Exchange, serve
from tests.e2e.stack import CHECKOUT, free_port, until

TICK_S = 0.05
PAGES = 1000
LIST_START = b'{"jsonrpc":"2.0","id":1,"result":{"tools":["'


async def good(exchange: Exchange) -> None:
    if exchange.http_method == "GET":
        await exchange.head(EVENTS)
        await exchange.chunk(b": open\n\n")
        await asyncio.Event().wait()
    elif exchange.arguments or (exchange.message.get("params") or {}).get("name") == "echo":
        await exchange.result({"content": [{"type": "text", "text": exchange.arguments.get("text", "")}]})
    elif exchange.method == "tools/call":
        await exchange.head(EVENTS)
        tick = 0
        while True:
            progress = {"progressToken": 1, "progress": tick}
            event = {"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}
            await exchange.chunk(b"data: " + json.dumps(event).encode() + b"\n\n")
            tick += 1
            await asyncio.sleep(TICK_S)
    else:
        await exchange.result({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]})


async def silent(exchange: Exchange) -> None:
    del exchange
    await asyncio.Event().wait()


async def slow(exchange: Exchange) -> None:
    """An answer of which one byte comes every half second."""
    await exchange.head(JSON, 1000)
    for _ in range(1000):
        await asyncio.sleep(0.5)
        await exchange.raw(b" ")


async def resetting(exchange: Exchange) -> None:
    """`stream` resets within an event, everything else within a JSON answer."""
    if exchange.arguments.get("stream"):
        await exchange.head(EVENTS)
        await exchange.chunk(b'data: {"jsonrpc":"2.0","method":"notifications/a"}\n\n')
        await exchange.chunk(b'data: {"jsonrpc":"2.0","met')
    else:
        await exchange.head(JSON, 1000)
        await exchange.raw(b'{"jsonrpc":"2.0","id":1,"result":{')
    await asyncio.sleep(0.01)
    exchange.reset()


async def huge(exchange: Exchange) -> None:
    """100 MB: of one JSON answer to a list, of one event to `event`, of blank lines to `blank`."""
    if exchange.arguments.get("event"):
        await exchange.flood(EVENTS, b'data: {"result":"')
    elif exchange.arguments.get("blank"):
        await exchange.flood(EVENTS, b"\n", blank=True)
    else:
        await exchange.flood(JSON, LIST_START)
        await exchange.chunk(b'"]}}')
        await exchange.raw(b"0\r\n\r\n")


async def stalled(exchange: Exchange) -> None:
    """A list that falls silent after 15 MB, so that whoever waits for its end has to hold them."""
    await exchange.flood(JSON, LIST_START, size=15_000_000)
    await asyncio.Event().wait()


async def broken_events(exchange: Exchange) -> None:
    """Fields nobody knows, NUL, half of UTF-8, data that is no JSON, an event without its end."""
    await exchange.head(EVENTS)
    for event in (
        b"\x00\xff\xfe: ?\n\n",
        b"data: {\n\n",
        b'data: {"result":\n\n',
        b":\n\n" * 20,
        b"data: \xc3",
    ):
        await exchange.chunk(event)
    await exchange.raw(b"0\r\n\r\n")


async def paged(exchange: Exchange) -> None:
    """A list of a thousand pages."""
    cursor = (exchange.message.get("params") or {}).get("cursor")
    page = int(cursor or 0)
    tools = [{"name": f"tool-{page}", "inputSchema": {"type": "object"}}]
    more = {"nextCursor": str(page + 1)} if page + 1 < PAGES else {}
    await exchange.result({"tools": tools, **more})


KINDS: dict[str, Answering] = {
    "good": good,
    "silent": silent,
    "slow": slow,
    "resetting": resetting,
    "huge": huge,
    "stalled": stalled,
    "broken-events": broken_events,
    "paged": paged,
}


@contextmanager
def running(kind: str, port: int | None = None) -> Iterator[str]:
    """Such a server as a process of its own; gives its URL."""
    port = port or free_port()
    # It stands for another machine: its work must not cost the good one time of this machine.
    niceness = [] if kind == "good" else ["nice", "-n", "19"]
    command = [*niceness, sys.executable, "-m", "tests.e2e.troubled", kind, str(port)]
    process = subprocess.Popen(command, cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)})
    try:
        until(lambda: process.poll() is not None or _listens(port), what=f"the {kind} server's start")
        assert process.poll() is None, f"the {kind} server ended with code {process.returncode}"
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    asyncio.run(serve(KINDS[sys.argv[1]], int(sys.argv[2])))
