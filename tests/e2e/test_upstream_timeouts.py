import json
import socket
import time
from itertools import count

import httpx2
import pytest

from tests.e2e.bypass import http1
from tests.e2e.bypass.gate import ACCEPT, JSON, LEGACY, MODERN, Header, call
from tests.e2e.bypass.reply import Reply
from tests.e2e.raw_upstream import EVENTS, behaving, deaf, dripping, silent
from tests.e2e.raw_upstream import JSON as ANSWER
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
slugs = (f"timed-{number}" for number in count())
LONG = {"timeout_s": 60.0}


class Timed:
    """A server behind the gateway whose entry says how long it may take."""

    def __init__(self, stack: Stack, url: str, **timeouts: float) -> None:
        self.stack, self.slug = stack, next(slugs)
        stack.register(self.slug, url, **timeouts)
        stack.scope(self.slug, self.slug)
        self.headers = [ACCEPT, JSON, ("Authorization", f"Bearer {stack.token(self.slug)}")]

    def call(self, era: Header = LEGACY) -> Reply:
        return http1.request(self.stack.url, "POST", f"/mcp/{self.slug}", [*self.headers, era], call())

    def stream(self, method: str) -> httpx2.Response:
        url, body = f"{self.stack.url}/mcp/{self.slug}", call() if method == "POST" else None
        request = httpx2.Request(method, url, headers=dict(self.headers), content=body)
        return httpx2.Client(timeout=20).send(request, stream=True)


def names(server: Timed, rule: str) -> None:
    """The call fails by that rule, said as each era has it."""
    legacy, modern = server.call(), server.call(MODERN)
    assert (legacy.status, modern.status) == (200, 504), (legacy, modern)
    for reply in (legacy, modern):
        assert (reply.error["data"]["layer"], reply.rule) == ("upstream", rule)
        assert json.loads(reply.body)["id"] == 7


def until_broken_off(answer: httpx2.Response) -> bytes:
    """What came before the gateway broke the answer off."""
    received = b""
    try:
        for part in answer.iter_raw():
            received += part
    except httpx2.RemoteProtocolError:
        return received
    pytest.fail(f"the answer came to a proper end: {received!r}")


def test_an_upstream_that_takes_no_connection_is_told_apart(stack: Stack) -> None:
    with deaf() as url:
        names(Timed(stack, url, connect_timeout_s=0.3), "connect_timeout")


def test_an_upstream_that_never_answers_is_given_up_after_its_silence(stack: Stack) -> None:
    with behaving(silent) as upstream:
        names(Timed(stack, upstream.url, timeout_s=0.3), "timeout")


def test_the_total_time_bounds_the_wait_for_an_answer(stack: Stack) -> None:
    with behaving(silent) as upstream:
        names(Timed(stack, upstream.url, **LONG, total_timeout_s=0.3), "total_timeout")


def test_an_answer_that_begins_too_late_is_none(stack: Stack) -> None:
    head = dripping(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n", [])
    with behaving(head) as upstream:
        names(Timed(stack, upstream.url, **LONG, total_timeout_s=0.3), "total_timeout")


def test_a_stream_that_goes_on_too_long_ends_with_an_error_of_its_call(stack: Stack) -> None:
    broken_off: list[bool] = []
    with behaving(dripping(EVENTS, b"data: {}\n\n", broken_off)) as upstream:
        server = Timed(stack, upstream.url, **LONG, total_timeout_s=0.5)
        received = until_broken_off(server.stream("POST"))
        until(lambda: broken_off, what="the end of the upstream's stream")
    last = received.strip().split(b"\n\n")[-1]
    error = json.loads(last.partition(b"data: ")[2])
    assert (error["id"], error["error"]["data"]["rule"]) == (7, "total_timeout")
    assert received.startswith(b"data: {}\n\ndata: {}\n\n")


def test_a_long_answer_breaks_off_when_its_time_is_up(stack: Stack) -> None:
    broken_off: list[bool] = []
    with behaving(dripping(ANSWER + b"\r\n", b" ", broken_off)) as upstream:
        server = Timed(stack, upstream.url, **LONG, total_timeout_s=0.5)
        assert until_broken_off(server.stream("POST")).strip() == b""


def test_a_stream_that_is_meant_to_stay_has_no_total_time(stack: Stack) -> None:
    with behaving(dripping(EVENTS, b"data: {}\n\n", [])) as upstream:
        server = Timed(stack, upstream.url, **LONG, total_timeout_s=0.3)
        began, parts = time.monotonic(), server.stream("GET").iter_raw()
        while time.monotonic() < began + 1:
            assert next(parts)


@pytest.mark.parametrize("ending", ["at once", "in the head", "in the body"])
def test_a_call_that_was_sent_is_never_sent_again(stack: Stack, ending: str) -> None:
    beginnings = {"at once": b"", "in the head": b"HTTP/1.1 200 OK\r\nContent-Ty", "in the body": ANSWER}

    def break_off(connection: socket.socket) -> None:
        connection.sendall(
            beginnings[ending] + (b"Content-Length: 9\r\n\r\n{" if ending == "in the body" else b"")
        )

    with behaving(break_off) as upstream:
        server = Timed(stack, upstream.url)
        reply = server.call()
        assert upstream.calls == 1
        assert ending == "in the body" or reply.rule == "unreachable"


def test_one_that_takes_its_time_is_waited_for(stack: Stack) -> None:
    def late(connection: socket.socket) -> None:
        time.sleep(0.2)
        connection.sendall(ANSWER + b"Content-Length: 2\r\n\r\n{}")

    with behaving(late) as upstream:
        server = Timed(stack, upstream.url, connect_timeout_s=1.0, timeout_s=5.0, total_timeout_s=10.0)
        assert server.call().body == b"{}"
