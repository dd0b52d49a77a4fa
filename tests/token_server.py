"""A token endpoint over real HTTP that keeps what it is asked and answers as it is told."""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

ANSWER = (
    "HTTP/1.1 {} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}"
)


@dataclass
class Asked:
    headers: dict[str, str]
    form: dict[str, list[str]]


@dataclass
class TokenServer:
    """Answers with the next of `answers`, each a status and a body; then with `refuse`, or with a token."""

    url: str = ""
    refuse: tuple[int, object] | None = None
    life: float = 3600
    asked: list[Asked] = field(default_factory=list)
    ends: dict[str, float] = field(default_factory=dict)
    answers: list[tuple[int, object]] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["TokenServer"]:
        made = cls()
        async with made.serving():
            yield made

    @classmethod
    @contextmanager
    def in_thread(cls) -> Iterator["TokenServer"]:
        """For tests that have no event loop."""
        made, loop, started = cls(), asyncio.new_event_loop(), threading.Event()
        done = asyncio.Event()

        async def run() -> None:
            async with made.serving():
                started.set()
                await done.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
        thread.start()
        try:
            assert started.wait(10)
            yield made
        finally:
            loop.call_soon_threadsafe(done.set)
            thread.join(10)
            loop.close()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
        async with server:
            yield

    def seen_after_its_end(self, seen: Sequence[tuple[float, str]]) -> list[str]:
        """The tokens that somebody saw, each at a time of `time.time()`, when they had expired."""
        return [token for at, token in seen if at > self.ends[token]]

    def token(self, life: float) -> dict[str, Any]:
        return {"access_token": f"token-of-{life}", "token_type": "bearer", "expires_in": life}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {name.lower(): value for name, value in re.findall(r"(\S+): (.*)\r\n", head)}
        form = parse_qs((await reader.readexactly(int(headers.get("content-length", 0)))).decode())
        self.asked.append(Asked(headers, form))
        status, answer = self.answers.pop(0) if self.answers else self.refuse or (200, self._numbered())
        text = answer if isinstance(answer, str) else json.dumps(answer)
        writer.write(ANSWER.format(status, len(text), text).encode())
        await writer.drain()
        writer.close()

    def _numbered(self) -> dict[str, Any]:
        token = f"token-{len(self.asked)}"
        self.ends[token] = time.time() + self.life
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.life}
