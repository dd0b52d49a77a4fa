"""Changes reach the gateway within two seconds, without a reload and without a lost call."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.e2e.calling import call, callers, ticking
from tests.e2e.recorder import Recorder
from tests.e2e.servers import serving, tools_server
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
FORCE_S = 2.0


def in_force(condition: Callable[[], bool]) -> None:
    """The state must come within two seconds of the change's answer; half a second is for this poll."""
    until(condition, FORCE_S + 0.5, "the change")


@pytest.fixture(scope="module")
def steady(stack: Stack, recorder: Recorder) -> str:
    stack.register("steady", recorder.url)
    stack.scope("steady", "steady")
    return stack.token("steady")


def workers(stack: Stack) -> list[str]:
    master = stack.pid("gateway")
    return Path(f"/proc/{master}/task/{master}/children").read_text().split()


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


def test_a_blocked_tool_is_refused_until_it_is_unblocked(stack: Stack) -> None:
    with serving(tools_server().streamable_http_app(stateless_http=True, json_response=True)) as origin:
        stack.register("blocks", f"{origin}/mcp")
        stack.scope("blocks", "blocks")
        stack.api("POST", "/api/servers/blocks/refresh", expect=200)
        token = stack.token("blocks")
        assert call(stack, "blocks", token, "secret_note") == "ran"
        stack.api("POST", "/api/servers/blocks/tools/secret_note/block")
        in_force(lambda: call(stack, "blocks", token, "secret_note") == "blocked")
        stack.api("POST", "/api/servers/blocks/tools/secret_note/unblock")
        in_force(lambda: call(stack, "blocks", token, "secret_note") == "ran")


@pytest.mark.parametrize("change", ["revoke", "disable"])
def test_a_stream_breaks_off_with_the_right_to_it(stack: Stack, change: str) -> None:
    slug = f"streams-{change}"
    with serving(tools_server().streamable_http_app()) as origin:
        stack.register(slug, f"{origin}/mcp")
        stack.scope(slug, slug)
        created = stack.api("POST", "/api/tokens", {"name": "stream", "scopes": [slug]}, expect=201).json()
        with httpx2.stream(**ticking(stack, slug, created["value"], 400), timeout=30) as answer:
            lines = answer.iter_lines()
            assert any("progress" in line for line in lines)
            if change == "revoke":
                stack.api("DELETE", f"/api/tokens/{created['id']}", expect=204)
            else:
                stack.api("POST", f"/api/servers/{slug}/disable", expect=200)
            changed = time.monotonic()
            # Not a proper end: the connection would be used for a next call, which waits for the upstream.
            with pytest.raises(httpx2.RemoteProtocolError):
                list(lines)
        assert time.monotonic() - changed < 10
