"""An ordinary MCP client, a real MCP server, and the gateway between them."""

from collections.abc import Iterator
from typing import Any

import pytest
from mcp import MCPError

from tests.e2e.calling import call
from tests.e2e.servers import client, serving, tools_server
from tests.e2e.stack import Stack, until

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
MODES = ["auto", "legacy"]


@pytest.fixture(scope="module")
def attached(stack: Stack) -> Iterator[str]:
    """A server with a scope that allows one of its tools; gives the token for that scope."""
    with serving(tools_server().streamable_http_app()) as origin:
        stack.register("calls", f"{origin}/mcp")
        stack.scope("calls-add", "calls", tools=["add", "ticks"])
        yield stack.token("calls-add")
        stack.api("DELETE", "/api/servers/calls", expect=204)


@pytest.mark.parametrize("mode", MODES)
async def test_a_tool_that_a_scope_allows_runs(stack: Stack, attached: str, mode: str) -> None:
    async with client(f"{stack.url}/mcp/calls", attached, mode) as mcp:
        result = await mcp.call_tool("add", {"a": 2, "b": 3})
    assert result.structured_content == {"result": 5}


@pytest.mark.parametrize("mode", MODES)
async def test_a_tool_that_no_scope_allows_is_not_in_the_list(stack: Stack, attached: str, mode: str) -> None:
    async with client(f"{stack.url}/mcp/calls", attached, mode) as mcp:
        names = [tool.name for tool in (await mcp.list_tools()).tools]
    assert names == ["add", "ticks"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_refused_call_says_why_and_the_session_goes_on(
    stack: Stack, attached: str, mode: str
) -> None:
    async with client(f"{stack.url}/mcp/calls", attached, mode) as mcp:
        with pytest.raises(MCPError, match='no scope of yours allows tools/call of the tool "secret_note"'):
            await mcp.call_tool("secret_note", {})
        again = await mcp.call_tool("add", {"a": 1, "b": 1})
    assert again.structured_content == {"result": 2}


@pytest.mark.parametrize("mode", MODES)
async def test_prompts_and_resources_pass(stack: Stack, attached: str, mode: str) -> None:
    async with client(f"{stack.url}/mcp/calls", attached, mode) as mcp:
        assert [prompt.name for prompt in (await mcp.list_prompts()).prompts] == ["greeting"]
        assert "Ada" in str(await mcp.get_prompt("greeting", {"name": "Ada"}))
        assert "nothing special" in str(await mcp.read_resource("note://today"))


async def test_progress_arrives_while_the_tool_runs(stack: Stack, attached: str) -> None:
    seen: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        del total, message
        seen.append(progress)

    async with client(f"{stack.url}/mcp/calls", attached, "legacy") as mcp:
        await mcp.call_tool("ticks", {"count": 3}, progress_callback=note)
    assert seen == [0, 1, 2]


async def test_a_new_server_exposes_nothing_until_a_scope_names_it(stack: Stack) -> None:
    with serving(tools_server().streamable_http_app()) as origin:
        stack.register("unnamed", f"{origin}/mcp")
        assert call(stack, "unnamed", stack.token(), "add") == "server"


async def test_every_call_leaves_one_audit_line(stack: Stack, attached: str) -> None:
    before = len(stack.audit())
    async with client(f"{stack.url}/mcp/calls", attached, "auto") as mcp:
        await mcp.call_tool("add", {"a": 9_876_543, "b": 1})
        with pytest.raises(MCPError):
            await mcp.call_tool("secret_note", {})

    def written() -> list[dict[str, Any]]:
        return [line for line in stack.audit()[before:] if line["method"] == "tools/call"]

    until(lambda: len(written()) == 2, what="the second line")  # written when the answer has been sent
    calls = written()
    assert [(line["tool"], line["decision"], line["rule"]) for line in calls] == [
        ("add", "allow", None),
        ("secret_note", "deny", "tool"),
    ]
    assert all(line["subject"] == "local:admin" and line["server"] == "calls" for line in calls)
    assert "9876543" not in str(calls)
