"""A server with limits, and calls that are held under way at it."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import httpx2

from tests.e2e.beside import token_of_somebody_else
from tests.e2e.bypass.gate import ACCEPT, JSON, LEGACY, Header, call
from tests.e2e.raw_upstream import RawUpstream, answer
from tests.e2e.stack import Stack, until

slugs = (f"limited-{number}" for number in count())


class Limited:
    """A server with limits behind the gateway, and calls to it."""

    def __init__(self, stack: Stack, url: str, **limits: int) -> None:
        self.stack, self.slug = stack, next(slugs)
        stack.register(self.slug, url, **limits)
        stack.scope(self.slug, self.slug)
        self.token = stack.token(self.slug)

    def other_caller(self) -> str:
        """A token of somebody else with the same rights."""
        return token_of_somebody_else(self.stack, self.slug, subject="local:alice")

    def send(
        self, body: bytes | None = None, era: Header = LEGACY, token: str = "", timeout: float = 30
    ) -> httpx2.Response:
        headers = [ACCEPT, JSON, era, ("Authorization", f"Bearer {token or self.token}")]
        url = f"{self.stack.url}/mcp/{self.slug}"
        return httpx2.post(url, content=body or call(), headers=headers, timeout=timeout)

    def outcome(self, token: str = "") -> str:
        """ "ran", or the rule that refused."""
        answered = self.send(token=token).json()
        return "ran" if "result" in answered else str(answered["error"]["data"]["rule"])


class Held:
    """An upstream that holds each call until it is let go, and calls that are under way there."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.upstream = RawUpstream(self._hold)
        self._pool = ThreadPoolExecutor(32)

    def _hold(self, connection: socket.socket) -> None:
        self.let_go.wait(30)
        answer(connection)

    def begin(self, server: Limited, calls: int, token: str = "") -> list[Future[str]]:
        """Make calls and wait until the upstream has them."""
        before = self.upstream.calls
        begun = [self._pool.submit(server.outcome, token) for _ in range(calls)]
        until(lambda: self.upstream.calls == before + calls, what="their arrival")
        return begun


@contextmanager
def holding() -> Iterator[Held]:
    held = Held()
    try:
        yield held
    finally:
        held.let_go.set()
        held._pool.shutdown()
        held.upstream.stop()
