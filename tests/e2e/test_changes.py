"""Changes reach the gateway within two seconds, without a reload and without a lost call."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest

from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
FORCE_S = 2.0


def call(stack: Stack, slug: str, token: str, tool: str = "echo") -> str:
    """"ran", or the rule that refused."""
    answer = httpx2.post(
        f"{stack.url}/mcp/{slug}",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}},
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"},
    ).json()
    return "ran" if "result" in answer else str(answer["error"]["data"]["rule"])


def in_force(condition: Callable[[], bool]) -> None:
    """The state must come within two seconds of the change's answer, plus what one poll of this test takes."""
    until(condition, FORCE_S + 0.5, "the change")


@contextmanager
def callers(stack: Stack, slug: str, token: str, count: int = 4) -> Iterator[list[str]]:
    """Callers that go on calling; the list collects whatever was not a result."""
    failures: list[str] = []
    done = threading.Event()
    made = [0] * count

    def go_on(number: int) -> None:
        while not done.is_set():
            try:
                outcome = call(stack, slug, token)
            except (httpx2.HTTPError, ValueError) as error:
                outcome = repr(error)
            if outcome != "ran":
                failures.append(outcome)
            made[number] += 1

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        done.set()
        for thread in threads:
            thread.join(20)
    assert all(made), "every caller called"


@pytest.fixture(scope="module")
def steady(stack: Stack, recorder: Recorder) -> str:
    stack.register("steady", recorder.url)
    stack.scope("steady", "steady")
    return stack.token("steady")


def workers(stack: Stack) -> list[str]:
    master = stack.pid("gateway")
    with open(f"/proc/{master}/task/{master}/children") as children:
        return children.read().split()


def test_a_server_is_callable_soon_after_it_was_added_and_nobody_loses_a_call(
    stack: Stack, upstream: Recorder, steady: str
) -> None:
    before = workers(stack)
    with callers(stack, "steady", steady) as failures:
        stack.scope("added", "added")
        token = stack.token("added")
        assert call(stack, "added", token) == "server"
        stack.register("added", upstream.url)
        in_force(lambda: call(stack, "added", token) == "ran")
    assert failures == []
    assert workers(stack) == before


def test_a_scope_that_shrinks_takes_the_tool_away(stack: Stack, upstream: Recorder, steady: str) -> None:
    stack.register("shrinks", upstream.url)
    stack.scope("shrinks", "shrinks")
    token = stack.token("shrinks")
    assert call(stack, "shrinks", token) == "ran"
    answer = stack.api("GET", "/api/scopes/shrinks", expect=200)
    scope = {name: value for name, value in answer.json().items() if name != "warnings"}
    scope["servers"][0]["tools"] = ["other"]
    with callers(stack, "steady", steady) as failures:
        stack.api("PUT", "/api/scopes/shrinks", scope, expect=200, if_match=answer.headers["ETag"])
        in_force(lambda: call(stack, "shrinks", token) == "tool")
    assert failures == []


def test_a_revoked_token_is_refused_everywhere(stack: Stack, upstream: Recorder, steady: str) -> None:
    del upstream
    created = stack.api("POST", "/api/tokens", {"name": "short", "scopes": ["steady"]}, expect=201).json()
    assert call(stack, "steady", created["value"]) == "ran"
    with callers(stack, "steady", steady) as failures:
        stack.api("DELETE", f"/api/tokens/{created['id']}", expect=204)
        in_force(lambda: call(stack, "steady", created["value"]) == "revoked")
    assert failures == []


def test_a_blocked_tool_is_refused_by_the_gateway(stack: Stack, upstream: Recorder, steady: str) -> None:
    del upstream, steady
    stack.api("POST", "/api/servers/steady/tools/echo/block", expect=404)


def test_a_stream_ends_with_the_right_to_it(stack: Stack) -> None:
    from tests.e2e.servers import serving, tools_server  # noqa: PLC0415

    with serving(tools_server().streamable_http_app()) as origin:
        stack.register("streams", f"{origin}/mcp")
        stack.scope("streams", "streams")
        created = stack.api("POST", "/api/tokens", {"name": "stream", "scopes": ["streams"]}, expect=201).json()
        headers = {
            "Authorization": f"Bearer {created['value']}", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "ticks",
        }
        meta = {"progressToken": 1, "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                   "params": {"name": "ticks", "arguments": {"count": 400}, "_meta": meta}}
        with httpx2.stream("POST", f"{stack.url}/mcp/streams", json=message, headers=headers, timeout=30) as answer:
            lines = answer.iter_lines()
            assert any("progress" in line for line in lines)
            stack.api("DELETE", f"/api/tokens/{created['id']}", expect=204)
            revoked = time.monotonic()
            rest = "".join(lines)
        assert time.monotonic() - revoked < 10
        assert "done" not in rest
