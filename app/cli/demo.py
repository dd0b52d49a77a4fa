"""`gatepost demo`: a real MCP server, a scope for one of its two tools, and calls through the gateway."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from app.cli.api import DIRECT, Api, NotFoundError, connect
from app.cli.documents import server_document
from app.cli.output import CliError, show
from app.cli.ports import free_ports

NAME = "dev.gatepost/demo"
SLUG = "demo"
MARK = "made by gatepost demo"
START_SECONDS = 20.0
POLL_SECONDS = 0.05


def run() -> None:
    """Raises CliError where anything is not as the narration says; takes away all it made."""
    with connect(None, None) as api:
        _remove_leftovers(api)
        with _demo_server() as address, contextlib.ExitStack() as undo:
            show(f"1. A small MCP server runs at {address} with two tools: add and secret_note.")
            api.post("/api/servers", server_document(address, NAME))
            undo.callback(api.delete, f"/api/servers/{SLUG}")
            show(f"2. It is registered, served at {api.target.url}/mcp/{SLUG}. Nobody may use it yet.")
            api.post("/api/scopes", _scope())
            undo.callback(api.delete, f"/api/scopes/{SLUG}")
            show("3. The scope 'demo' allows the group 'admins' one of its tools: add.")
            token = api.post("/api/tokens", {"name": SLUG, "scopes": [SLUG], "expires_days": 1})
            undo.callback(api.delete, f"/api/tokens/{token['id']}")
            show("4. A token is narrowed to that scope. An ordinary MCP client connects with it.")
            asyncio.run(_calls(f"{api.target.url}/mcp/{SLUG}", token["value"]))
    show("\nAll as it should be. Server and scope of the demo are gone again, its token is revoked.")


async def _calls(url: str, token: str) -> None:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30, mounts=DIRECT) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        names = [tool.name for tool in (await client.list_tools()).tools]
        _expect(names == ["add"], f"the list should hold add alone, it holds {names}")
        show("5. Its list of tools: add. The other one is not in it.")
        result = await client.call_tool("add", {"a": 2, "b": 3})
        text = _text(result)
        _expect(not result.is_error and text == "5", f"add(2, 3) should give 5, it gave {text!r}")
        show(f"6. It calls add(2, 3) through the gateway: {text}")
        show(f"7. It calls secret_note all the same: refused. The reason: {await _refusal(client)}")


async def _refusal(client: Client) -> str:
    try:
        result = await client.call_tool("secret_note", {})
    except MCPError as error:
        return str(error)
    _expect(bool(result.is_error), f"secret_note should be refused, it answered {_text(result)!r}")
    return _text(result)


def _text(result: Any) -> str:
    return " ".join(part.text for part in result.content if part.type == "text")


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CliError(f"the demo failed: {otherwise}")


def _scope() -> dict[str, Any]:
    grant = {"server": SLUG, "methods": ["tools/list", "tools/call"], "tools": ["add"]}
    return {"name": SLUG, "description": MARK, "groups": ["admins"], "servers": [grant]}


@contextlib.contextmanager
def _demo_server() -> Iterator[str]:
    port = free_ports(1)[0]
    command = [sys.executable, "-P", "-m", "app.cli.demo_server", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx2.HTTPError):
            httpx2.get(f"http://127.0.0.1:{port}/", timeout=1, trust_env=False)
            return
        time.sleep(POLL_SECONDS)
    raise CliError("the demo's MCP server did not start; try: python -m app.cli.demo_server 3001")


def _remove_leftovers(api: Api) -> None:
    """What a demo that was killed left behind; a server or scope of that name that is not ours stays."""
    with contextlib.suppress(NotFoundError):
        if api.get(f"/api/servers/{SLUG}")["server"]["name"] == NAME:
            api.delete(f"/api/servers/{SLUG}")
    with contextlib.suppress(NotFoundError):
        if api.get(f"/api/scopes/{SLUG}")["description"] == MARK:
            api.delete(f"/api/scopes/{SLUG}")
    for token in api.items("/api/tokens"):
        if token["name"] == SLUG and token["scopes"] == [SLUG] and not token.get("revoked_at"):
            api.delete(f"/api/tokens/{token['id']}")
