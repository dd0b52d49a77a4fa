import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.core.settings import Settings
from tests.e2e.bypass.certificates import Authority
from tests.unit.auth.conftest import settings_for


@dataclass
class Page:
    body: object
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


@dataclass
class Host:
    """An https server on loopback where clients keep their documents; it keeps the paths it is asked for."""

    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def client(self, path: str = "/client.json", **more: Any) -> str:
        """Put a client's document there; its id."""
        client_id = self.url + path
        document = {
            "client_id": client_id,
            "client_name": "Notes",
            "redirect_uris": ["https://notes.example/cb"],
        }
        self.pages[path] = Page({**document, **more})
        return client_id

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
        self.asked.append(path)
        await self.go_on.wait()
        page = self.pages.get(path, Page({}, 404))
        body = page.body if isinstance(page.body, bytes) else json.dumps(page.body).encode()
        headers = {**page.headers, "Content-Length": str(len(body)), "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {page.status} x\r\n{lines}\r\n".encode() + body)
        await writer.drain()
        writer.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority.make(tmp_path_factory.mktemp("certificates"))
    made.issue("127.0.0.1")
    return made


@pytest.fixture
def settings(tmp_path: Path, authority: Authority) -> Settings:
    return settings_for(tmp_path, GATEPOST_UPSTREAM_CA_FILE=str(authority.file))


@pytest.fixture
async def host(authority: Authority) -> AsyncIterator[Host]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.folder / "127.0.0.1.crt", authority.folder / "127.0.0.1.key")
    made = Host()
    made.go_on.set()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made
