"""Eight callers of a tool, each call a connection of its own, until /run/callers.started is gone.

callers.py <url of the gateway> <file of its certificate>
"""

import asyncio
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

URL, CERTIFICATE = sys.argv[1:]
TOKEN = Path("/var/lib/gatepost/secrets/cli_token").read_text().strip()
STARTED = Path("/run/callers.started")
VERIFY = ssl.create_default_context(cafile=CERTIFICATE)
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
failed: list[str] = []
calls = 0


async def caller() -> None:
    global calls
    while STARTED.exists():
        try:
            async with (
                httpx2.AsyncClient(verify=VERIFY, headers=HEADERS, timeout=30) as http,
                Client(streamable_http_client(f"{URL}/mcp/demo", http_client=http)) as client,
            ):
                result = await client.call_tool("add", {"a": 2, "b": 3})
                if result.is_error or result.content[0].text != "5":
                    failed.append(repr(result))
        except BaseException as error:
            failed.append(repr(getattr(error, "exceptions", error)))
        calls += 1


async def main() -> None:
    await asyncio.gather(*(caller() for _ in range(8)))


demo = subprocess.Popen([sys.executable, "-P", "-m", "app.cli.demo_server", "9900"])
try:
    while socket.socket().connect_ex(("127.0.0.1", 9900)):
        assert demo.poll() is None, "the demo server ended"
        time.sleep(0.1)
    STARTED.touch()
    asyncio.run(main())
finally:
    demo.terminate()
    demo.wait()
print(f"{calls} calls, {len(failed)} failed", *failed[:5], sep="\n")
sys.exit(bool(failed) or calls == 0)
