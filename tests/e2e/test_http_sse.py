"""The HTTP+SSE transport of 2024-11-05: a stream, and POSTs to the endpoint that its first event names."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.sse import sse_client

from tests.e2e.beside import second_gateway, token_of_somebody_else
from tests.e2e.servers import serving, tools_server
from tests.e2e.stack import Stack, until

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
SLUG = "older"


@pytest.fixture(scope="module")
def older(stack: Stack) -> Iterator[str]:
    """The token of a caller who may use `add` and `ticks` at /mcp/older, which speaks HTTP+SSE alone."""
    with serving(tools_server().sse_app()) as origin:
        stack.register(SLUG, f"{origin}/sse", transport="sse")
        stack.scope(SLUG, SLUG, tools=["add", "ticks"])
        yield stack.token(SLUG)


@contextlib.asynccontextmanager
async def connected(stack: Stack, token: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with Client(sse_client(f"{stack.url}/mcp/{SLUG}", headers=headers), mode="legacy") as client:
        yield client


@contextlib.contextmanager
def stream(stack: Stack, token: str) -> Iterator[tuple[str, Iterator[str]]]:
    """A raw stream: the endpoint that it names, and the lines behind it."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    with httpx2.stream("GET", f"{stack.url}/mcp/{SLUG}", headers=headers, timeout=20) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: endpoint"
        yield next(lines).removeprefix("data: "), lines


def post(origin: str, endpoint: str, token: str, method: str = "ping", **params: object) -> httpx2.Response:
    return httpx2.post(
        origin + endpoint,
        json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    )


async def test_a_client_of_that_time_lists_what_it_may_use_and_calls_it(stack: Stack, older: str) -> None:
    async with connected(stack, older) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["add", "ticks"]
        assert (await client.call_tool("add", {"a": 2, "b": 3})).content[0].text == "5"
        assert (await client.get_prompt("greeting", {"name": "Ada"})).messages
        assert (await client.read_resource("note://today")).contents


async def test_progress_comes_on_the_stream(stack: Stack, older: str) -> None:
    seen: list[float] = []

    async def note(progress: float, _total: float | None, _message: str | None) -> None:
        seen.append(progress)

    async with connected(stack, older) as client:
        await client.call_tool("ticks", {"count": 3}, progress_callback=note)
    assert seen == [0, 1, 2]


async def test_a_refused_call_shows_its_reason_and_the_session_goes_on(stack: Stack, older: str) -> None:
    async with connected(stack, older) as client:
        with pytest.raises(MCPError, match="no scope of yours allows tools/call of the tool") as refusal:
            async with asyncio.timeout(10):
                await client.call_tool("secret_note", {})
        assert refusal.value.error.data == {"layer": "policy", "rule": "tool"}
        assert (await client.call_tool("add", {"a": 1, "b": 1})).content[0].text == "2"
    line = next(line for line in reversed(stack.audit()) if line["tool"] == "secret_note")
    assert (line["decision"], line["rule"]) == ("deny", "tool")


def test_a_refusal_that_repeats_a_long_name_comes_on_the_stream(stack: Stack, older: str) -> None:
    with stream(stack, older) as (endpoint, lines):
        for name in ("x" * 8190, "é" * 4090, "\x7f" * 8190):
            assert post(stack.url, endpoint, older, "tools/call", name=name).status_code == 202
            data = next(line for line in lines if line.startswith("data: "))
            assert json.loads(data.removeprefix("data: "))["error"]["data"]["rule"] == "tool"


def test_the_endpoint_is_the_gateways_and_the_callers_own(stack: Stack, older: str) -> None:
    with stream(stack, older) as (endpoint, lines):
        assert endpoint.startswith(f"/mcp/{SLUG}?sessionId=")
        assert "messages" not in endpoint
        stranger = token_of_somebody_else(stack, SLUG)
        assert post(stack.url, endpoint, stranger).status_code == 404
        assert post(stack.url, endpoint[:-3] + "AAA", older).status_code == 404
        assert post(stack.url, endpoint, older).status_code == 202
        data = next(line for line in lines if line.startswith("data: "))
        assert json.loads(data.removeprefix("data: ")) == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_a_post_reaches_its_stream_through_another_gateway(
    stack: Stack, older: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        second_gateway(stack, tmp_path_factory.mktemp("gateway")) as origin,
        stream(stack, older) as (endpoint, lines),
    ):
        assert post(origin, endpoint, older, "tools/call", name="secret_note").status_code == 202
        data = next(line for line in lines if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: "))["error"]["data"]["rule"] == "tool"


def test_a_post_without_an_endpoint_tells_a_client_to_fall_back(stack: Stack, older: str) -> None:
    refused = post(stack.url, f"/mcp/{SLUG}", older)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")


def test_the_registry_discovers_what_it_offers(stack: Stack, older: str) -> None:
    del older
    assert stack.api("POST", f"/api/servers/{SLUG}/refresh", expect=200).json()["state"] == "healthy"
    tools = stack.api("GET", f"/api/servers/{SLUG}/tools", expect=200).json()["items"]
    assert {tool["name"] for tool in tools} >= {"add", "secret_note", "ticks"}


def test_a_revoked_caller_loses_stream_and_endpoint(stack: Stack, older: str) -> None:
    del older
    created = stack.api("POST", "/api/tokens", {"name": "short", "scopes": [SLUG]}, expect=201).json()
    with stream(stack, created["value"]) as (endpoint, lines):
        hello = {
            "protocolVersion": "2024-11-05",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        }
        assert post(stack.url, endpoint, created["value"], "initialize", **hello).status_code == 202
        ticking = {"name": "ticks", "arguments": {"count": 400}, "_meta": {"progressToken": 1}}
        assert post(stack.url, endpoint, created["value"], "tools/call", **ticking).status_code == 202
        assert any("progress" in line for line in lines)
        stack.api("DELETE", f"/api/tokens/{created['id']}", expect=204)
        until(lambda: post(stack.url, endpoint, created["value"]).status_code == 401, what="the revocation")
        with pytest.raises(httpx2.RemoteProtocolError):
            list(lines)
