import asyncio
import base64
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from app.core.listen import listen

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def _auth(state: Path, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
    environ |= {
        "GATEPOST_STATE_DIR": str(state),
        "GATEPOST_GATEWAY_SECRET": "s",
        "GATEPOST_SEALING_KEYS": base64.b64encode(bytes(32)).decode(),
        "GATEPOST_ADMIN_PASSWORD": "pw",
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.auth", env=environ, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _until_ready(client: httpx2.AsyncClient, url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if (await client.get(f"{url}/readyz")).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        assert time.monotonic() < deadline, "the auth server did not become ready"
        await asyncio.sleep(0.05)


async def test_one_process_serves_both_ports_until_it_is_told_to_stop(tmp_path: Path) -> None:
    public, internal = _free_port(), _free_port()
    ports = {"GATEPOST_AUTH_PORT": str(public), "GATEPOST_AUTH_INTERNAL_PORT": str(internal)}
    async with _auth(tmp_path, **ports) as process, httpx2.AsyncClient(trust_env=False) as client:
        for port in (public, internal):
            await _until_ready(client, f"http://127.0.0.1:{port}")
        secret = {"Gatepost-Gateway-Secret": "s"}
        inside = await client.get(f"http://127.0.0.1:{internal}/internal/epoch", headers=secret)
        outside = await client.get(f"http://127.0.0.1:{public}/internal/epoch", headers=secret)
        assert (inside.status_code, outside.status_code) == (200, 404)
        assert inside.headers["content-length"]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 15) == 0


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with _auth(tmp_path, GATEPOST_AUTH_PORT=str(port)) as process:
            _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert f"127.0.0.1:{port}" in errors.decode()
    assert "GATEPOST_AUTH_PORT" in errors.decode()


async def test_an_unknown_setting_is_named(tmp_path: Path) -> None:
    async with _auth(tmp_path, GATEPOST_AUTH_PROT="1") as process:
        _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert "GATEPOST_AUTH_PORT" in errors.decode()


async def test_answers_are_not_held_back_by_nagle_s_algorithm() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        writer.write(bytes([connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0]))
        writer.close()

    with listen("127.0.0.1", _free_port(), "GATEPOST_AUTH_PORT") as listener:
        address = listener.getsockname()
        async with await asyncio.start_server(answer, sock=listener):
            reader, writer = await asyncio.open_connection(*address)
            assert await reader.read() == b"\x01"
            writer.close()
            await writer.wait_closed()
