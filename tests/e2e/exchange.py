"""HTTP/1.1 answers as bare bytes, whole or not, for servers that tests need in trouble."""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

HUGE = 100 * 1000 * 1000
PIECE = 65_536
JSON, EVENTS = "application/json", "text/event-stream"
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


Answering = Callable[[Exchange], Awaitable[None]]


async def _requests(reader: asyncio.StreamReader) -> AsyncIterator[tuple[str, Message]]:
    while True:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        except asyncio.IncompleteReadError:
            return
        length = next((line[15:] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
        body = await reader.readexactly(int(length))
        yield head.split(" ")[0].upper(), json.loads(body or b"{}")


async def serve(answering: Answering, port: int) -> None:
    """Answer every request on loopback until the process ends."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for method, message in _requests(reader):
                await _until_gone(answering(Exchange(message, method, writer)), reader)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


async def _until_gone(answer: Awaitable[None], reader: asyncio.StreamReader) -> None:
    """Answer, but no longer than the other side is there: streams have no end of their own."""
    work, gone = asyncio.ensure_future(answer), asyncio.ensure_future(reader.read(1))
    await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
    for task in (work, gone):
        task.cancel()
    for outcome in await asyncio.gather(work, gone, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
