"""HTTP/1.1 in asyncio, with little between the test and the wire: many connections and exact ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

LARGEST_LINE = 1024 * 1024


class BrokenOffError(Exception):
    """The connection ended where the answer had not."""


@dataclass
class Connection:
    """One keepalive connection to an origin, opened when it is needed and after it broke."""

    origin: str
    deadline_s: float = 30
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send a request and read the head of its answer. Raises BrokenOffError, OSError and TimeoutError."""
        where = urlsplit(self.origin)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {where.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        async with asyncio.timeout(self.deadline_s):
            if self._streams is None:
                self._streams = await asyncio.open_connection(where.hostname, where.port, limit=LARGEST_LINE)
            self._streams[1].write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            head = (await self._until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.status = int(head[0].split(" ")[1])
        pairs = (line.partition(":") for line in head[1:] if line)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer's body as it comes. Raises BrokenOffError where it ends before its end."""
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(await self._until(b"\r\n"), 16):
                yield (await self._exactly(size + 2))[:-2]
            await self._until(b"\r\n")
        else:
            left = int(self.headers.get("content-length", 0))
            while left:
                piece = await self._exactly(min(left, 65_536))
                left -= len(piece)
                yield piece
        if self.headers.get("connection") == "close":
            self.close()

    async def json(self) -> Any:
        """The body of an answer that has an end, read whole. Raises ValueError too."""
        async with asyncio.timeout(self.deadline_s):
            return json.loads(b"".join([piece async for piece in self.pieces()]))

    async def lines(self) -> AsyncIterator[str]:
        """The lines of an event stream, without their ends."""
        unread = b""
        async for piece in self.pieces():
            *whole, unread = (unread + piece).split(b"\n")
            for line in whole:
                yield line.decode().rstrip("\r")

    def close(self) -> None:
        """Drop the connection; the next request opens another."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _until(self, end: bytes) -> bytes:
        assert self._streams
        try:
            return await self._streams[0].readuntil(end)
        except asyncio.IncompleteReadError as error:
            raise BrokenOffError("the connection ended") from error

    async def _exactly(self, size: int) -> bytes:
        assert self._streams
        try:
            return await self._streams[0].readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise BrokenOffError("the connection ended") from error
