"""A token endpoint over real HTTP that keeps what it is asked and answers as it is told."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    """`answers` are the next ones, each a status and a body; then comes a token of an hour, numbered."""

    url: str = ""
    life: float = 3600
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, object]] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["TokenServer"]:
        made = cls()
        server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
        async with server:
            yield made

    def token(self, life: float) -> dict[str, Any]:
        return {"access_token": f"token-of-{life}", "token_type": "bearer", "expires_in": life}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = {name.lower(): value for name, value in re.findall(r"(\S+): (.*)\r\n", head)}
        form = parse_qs((await reader.readexactly(int(headers.get("content-length", 0)))).decode())
        self.asked.append(Asked(headers, form))
        status, answer = self.answers.pop(0) if self.answers else (200, self._numbered())
        text = answer if isinstance(answer, str) else json.dumps(answer)
        writer.write(ANSWER.format(status, len(text), text).encode())
        await writer.drain()
        writer.close()

    def _numbered(self) -> dict[str, Any]:
        number = len(self.asked)
        return {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": self.life}
