"""Tool calls by plain HTTP, for tests that look at what the gateway itself answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from tests.e2e.stack import Stack


def call(stack: Stack, slug: str, token: str, tool: str = "echo") -> str:
    """ "ran", or the rule that refused."""
    answer = httpx2.post(
        f"{stack.url}/mcp/{slug}",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}},
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"},
    ).json()
    if "result" in answer:
        return "ran"
    error = answer["error"]
    return str(error["data"]["rule"] if "data" in error else error["message"])


def ticking(stack: Stack, slug: str, token: str, count: int) -> dict[str, Any]:
    """The parts of a call of `ticks`, for `httpx2`: its answer is a stream of `count` events, 20 a second."""
    meta = {
        "progressToken": 1,
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    params = {"name": "ticks", "arguments": {"count": count}, "_meta": meta}
    return {
        "method": "POST",
        "url": f"{stack.url}/mcp/{slug}",
        "json": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
        "headers": {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": "ticks",
        },
    }


@contextmanager
def callers(
    stack: Stack, slug: str, token: str, count: int = 4, *, tool: str = "echo"
) -> Iterator[list[str]]:
    """Callers that go on calling; the list collects whatever was not a result."""
    failures: list[str] = []
    done = threading.Event()
    made = [0] * count

    def go_on(number: int) -> None:
        while not done.is_set():
            try:
                outcome = call(stack, slug, token, tool)
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
