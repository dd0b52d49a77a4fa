"""A server behind this host's gateway: by the SDK's client a tool that is allowed, and one that is refused.

Runs on the host, by the program's own Python: call.py <url of the gateway> <file of its certificate>
"""

import asyncio
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

URL, CERTIFICATE = sys.argv[1:]
TOKEN = Path("/var/lib/gatepost/secrets/cli_token").read_text().strip()
PORT = 9900
SERVER = {
    "name": "com.example/demo",
    "description": "Adds",
    "version": "1.0.0",
    "remotes": [{"type": "streamable-http", "url": f"http://127.0.0.1:{PORT}/mcp"}],
}
SCOPE = {
    "name": "demo",
    "groups": ["admins", "team"],
    "servers": [{"server": "demo", "methods": ["tools/list", "tools/call"], "tools": ["add"]}],
}


async def main() -> None:
    verify = ssl.create_default_context(cafile=CERTIFICATE) if CERTIFICATE != "-" else True
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx2.AsyncClient(base_url=URL, headers=bearer, verify=verify, timeout=30) as http:
        for path, body in (("/api/servers", SERVER), ("/api/scopes", SCOPE)):
            answer = await http.post(path, json=body)
            assert answer.status_code in (201, 409), answer.text
        deadline = time.monotonic() + 20
        while (await http.get("/api/servers/demo")).json()["gatepost"]["health"]["state"] != "healthy":
            assert time.monotonic() < deadline, (await http.get("/api/servers/demo")).text
            await http.post("/api/servers/demo/refresh")
        async with Client(streamable_http_client(f"{URL}/mcp/demo", http_client=http)) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["add"]
            result = await client.call_tool("add", {"a": 2, "b": 3})
            assert result.content[0].text == "5", result
            try:
                refused = await client.call_tool("secret_note", {})
                assert refused.is_error, refused
            except MCPError:
                pass
        deadline = time.monotonic() + 20
        while len((await http.get("/api/audit?server=demo")).json()["items"]) < 2:
            assert time.monotonic() < deadline, "the audit log did not reach the registry"
            await asyncio.sleep(0.2)
        async with httpx2.AsyncClient(base_url=URL, verify=verify) as nobody:
            assert (await nobody.post("/mcp/demo", json={})).status_code == 401


def run() -> None:
    demo = subprocess.Popen([sys.executable, "-P", "-m", "app.cli.demo_server", str(PORT)])
    try:
        while socket.socket().connect_ex(("127.0.0.1", PORT)):
            assert demo.poll() is None, "the demo server ended"
            time.sleep(0.1)
        asyncio.run(main())
    finally:
        demo.terminate()
        demo.wait()
    print("called and refused, as it should be")


run()
