"""An MCP server as bare bytes, good or in one kind of trouble: `python -m tests.e2e.troubled <kind> <port>`.

The good kind answers `echo` at once, `ticks` by an event every 50 ms without end, and GET by a silent stream.
"""

import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.stack import CHECKOUT, free_port, until

TICK_S = 0.05
HUGE = 100 * 1000 * 1000
PIECE = 65_536
PAGES = 1000
JSON, EVENTS = "application/json", "text/event-stream"
LIST_START = b'{"jsonrpc":"2.0","id":1,"result":{"tools":["'
Message = dict[str, Any]


class Exchange:
    """One request and the connection that it is answered on."""

    def __init__(self, message: Message, method: str, writer: asyncio.StreamWriter) -> None:
        self.message = message
        self.http_method = method
        self.method = message.get("method", "")
        self.arguments: Message = (message.get("params") or {}).get("arguments") or {}
        self._writer = writer

    async def head(self, kind: str, length: int | None = None) -> None:
        framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        await self.raw(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n".encode())

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def chunk(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def result(self, result: Message) -> None:
        text = json.dumps({"jsonrpc": "2.0", "id": self.message.get("id"), "result": result}).encode()
        await self.head(JSON, len(text))
        await self.raw(text)

    async def flood(self, kind: str, start: bytes, blank: bool = False, size: int = HUGE) -> None:
        """So much of one answer, no part like another: equal strings would share their memory in Lua."""
        await self.head(kind)
        await self.chunk(start)
        noise = b"\n" * (2 * PIECE) if blank else os.urandom(PIECE).hex().encode()
        for number in range(size // PIECE):
            await self.chunk(b"%d" % number * (not blank) + noise[number % PIECE :][:PIECE])

    def reset(self) -> None:
        """End the connection by RST."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


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


KINDS: dict[str, Callable[[Exchange], Awaitable[None]]] = {
    "good": good,
    "silent": silent,
    "slow": slow,
    "resetting": resetting,
    "huge": huge,
    "stalled": stalled,
    "broken-events": broken_events,
    "paged": paged,
}


async def _requests(reader: asyncio.StreamReader) -> AsyncIterator[tuple[str, Message]]:
    while True:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        except asyncio.IncompleteReadError:
            return
        length = next((line[15:] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
        body = await reader.readexactly(int(length))
        yield head.split(" ")[0].upper(), json.loads(body or b"{}")


async def _serve(kind: str, port: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for method, message in _requests(reader):
                await _until_gone(KINDS[kind](Exchange(message, method, writer)), reader)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


async def _until_gone(answering: Awaitable[None], reader: asyncio.StreamReader) -> None:
    """Answer, but no longer than the other side is there: streams have no end of their own."""
    work, gone = asyncio.ensure_future(answering), asyncio.ensure_future(reader.read(1))
    await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
    for task in (work, gone):
        task.cancel()
    for outcome in await asyncio.gather(work, gone, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


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
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
