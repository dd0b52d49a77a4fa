"""One way into one gateway, and the messages that are tried there."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.bypass.reply import Reply
from tests.e2e.recorder import Received, Recorder
from tests.e2e.stack import Stack

SLUG = "recorded"
PATH = f"/mcp/{SLUG}"
UPSTREAM_SECRET = "credential-of-the-upstream-7f3a"
JSON = ("Content-Type", "application/json")
ACCEPT = ("Accept", "application/json, text/event-stream")
LEGACY, MODERN = ("MCP-Protocol-Version", "2025-11-25"), ("MCP-Protocol-Version", "2026-07-28")
Header = tuple[str, str]


def message(method: str, params: object, request_id: object = 7) -> bytes:
    """A request as most clients write it."""
    parts = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
    return json.dumps(parts, separators=(",", ":")).encode()


def call(name: str = "allowed", **members: object) -> bytes:
    """A tool call; `allowed` is the one tool that the caller's scope names."""
    return message("tools/call", {"name": name, "arguments": {}, **members})


@dataclass
class Gate:
    """The gateway by one protocol, as a caller whose scope names one tool, one prompt and one resource."""

    protocol: str
    stack: Stack
    token: str
    recorder: Recorder
    request: Callable[..., Reply]

    @property
    def received(self) -> list[Received]:
        return self.recorder.received

    def send(
        self,
        body: bytes,
        *headers: Header,
        method: str = "POST",
        path: str = PATH,
        token: str | None = None,
        kind: Header | None = JSON,
        length: bool = True,
    ) -> Reply:
        """One request with the caller's token; `token=""` sends none."""
        bearer = self.token if token is None else token
        credential = [("Authorization", f"Bearer {bearer}")] if bearer else []
        sent = [ACCEPT, *credential, *([kind] if kind else []), *headers]
        return self.request(self.stack.url, method, path, sent, body, length=length)

    def refuses(
        self, body: bytes, *headers: Header, rule: str = "body", status: int = 400, **how: object
    ) -> Reply:
        """Send it, and see it refused by that rule, before the upstream heard of it."""
        reply = self.send(body, *headers, **how)  # type: ignore[arg-type]
        assert self.received == []
        assert (reply.status, reply.rule) == (status, rule), reply
        return reply

    def passes(self, body: bytes, *headers: Header, **how: object) -> Reply:
        """Send it, and see it arrive at the upstream byte for byte."""
        reply = self.send(body, *headers, **how)  # type: ignore[arg-type]
        assert reply.passed, reply
        assert [received.body for received in self.received] == [body]
        return reply
