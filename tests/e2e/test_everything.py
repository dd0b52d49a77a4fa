"""The official demonstration server, of the legacy era, behind the gateway."""

import os
import subprocess
from collections.abc import Iterator

import httpx2
import pytest

from tests.e2e.servers import client
from tests.e2e.stack import Stack, free_port, until

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]


@pytest.fixture(scope="module")
def everything(stack: Stack) -> Iterator[str]:
    program = os.environ.get("SERVER_EVERYTHING")
    if not program:
        pytest.skip("no server-everything: `tests/run e2e` installs it, with npm")
    port = free_port()
    process = subprocess.Popen(
        [program, "streamableHttp"],
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        try:
            return bool(httpx2.get(f"http://127.0.0.1:{port}/mcp").status_code)
        except httpx2.TransportError:
            return False

    try:
        until(answers, what="server-everything's start")
        stack.register("everything", f"http://127.0.0.1:{port}/mcp")
        stack.scope("everything-echo", "everything", tools=["echo"])
        yield stack.token("everything-echo")
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_same_client_calls_a_legacy_server(stack: Stack, everything: str, mode: str) -> None:
    async with client(f"{stack.url}/mcp/everything", everything, mode) as mcp:
        assert [tool.name for tool in (await mcp.list_tools()).tools] == ["echo"]
        result = await mcp.call_tool("echo", {"message": "hello"})
    assert "hello" in str(result.content)


async def test_its_tools_were_discovered(stack: Stack, everything: str) -> None:
    del everything
    stack.api("POST", "/api/servers/everything/refresh", expect=200)
    tools = stack.api("GET", "/api/servers/everything/tools", expect=200).json()["items"]
    assert "echo" in {tool["name"] for tool in tools}
