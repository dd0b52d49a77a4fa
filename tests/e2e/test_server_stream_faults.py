"""An upstream that answers a GET as no proper server does: it is named, and costs nobody else anything."""

import contextlib
import os
import signal
import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.e2e.bypass import http1
from tests.e2e.bypass.reply import Reply
from tests.e2e.bypass.test_conditions import CONDITIONS
from tests.e2e.held import NOTIFICATION
from tests.e2e.raw_upstream import closed_by_peer
from tests.e2e.stack import Stack, until
from tests.e2e.test_server_stream import HEAD, behind, chunk, listening

pytestmark = pytest.mark.e2e
ODD_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %b\r\n\r\nabc"
LONG_LINE = b"HTTP/1.1 200 OK\r\nX-Long:" + b" " * 30_000 + b"\rend\r\nContent-Length: 0\r\n\r\n"


def get(stack: Stack, slug: str, token: str, *headers: tuple[str, str]) -> Reply:
    sent = [("Authorization", f"Bearer {token}"), *headers]
    return http1.request(stack.url, "GET", f"/mcp/{slug}", sent, b"")


@pytest.mark.parametrize("start", [ODD_LENGTH % b"-5", ODD_LENGTH % b"0.5", LONG_LINE])
def test_a_head_that_is_no_http_holds_up_nobody(stack: Stack, start: bytes) -> None:
    slug = f"odd-{len(start)}"
    with behind(stack, slug, start) as (_, token), listening(stack, slug, token):
        assert httpx2.get(f"{stack.url}/healthz", timeout=5).status_code == 200


@pytest.mark.parametrize("size", [b"0x10", b"0 0g", b"-1"])
def test_a_chunk_without_a_proper_size_breaks_the_stream_off(stack: Stack, size: bytes) -> None:
    slug = f"chunk-{size.hex()}"
    start = HEAD + chunk(NOTIFICATION) + size + b"\r\n\r\n"
    with (
        behind(stack, slug, start) as (_, token),
        listening(stack, slug, token) as answer,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        answer.read()


def test_a_chunk_size_may_have_an_extension(stack: Stack) -> None:
    start = HEAD + b"%x;a=b\r\n%b\r\n0 ; c\r\n\r\n" % (len(NOTIFICATION), NOTIFICATION)
    with behind(stack, "extended", start) as (_, token), listening(stack, "extended", token) as answer:
        assert answer.read() == NOTIFICATION


def test_an_event_in_a_million_pieces_is_too_large_to_hold(stack: Stack) -> None:
    with behind(stack, "crumbs", HEAD) as (upstream, token), listening(stack, "crumbs", token) as answer:
        upstream.say(chunk(b"data: "))
        with contextlib.suppress(OSError):
            for _ in range(1000):
                upstream.say(chunk(b"x") * 1000)
            upstream.say(chunk(b"\n\n") + b"0\r\n\r\n")
        with pytest.raises(httpx2.RemoteProtocolError):
            answer.read()


def test_an_empty_answer_without_a_kind_passes(stack: Stack) -> None:
    with behind(stack, "empty", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (_, token):
        reply = get(stack, "empty", token)
    assert (reply.status, reply.body) == (200, b"")


def test_an_answer_that_is_no_stream_must_come_in_time(stack: Stack) -> None:
    start = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nno"
    with (
        behind(stack, "stalls", start, timeout_s=1.0) as (_, token),
        listening(stack, "stalls", token) as answer,
    ):
        assert answer.status_code == 504
        answer.read()
        assert answer.json()["error"]["data"]["rule"] == "timeout"


@pytest.mark.parametrize(("name", "value"), CONDITIONS)
def test_a_condition_does_not_change_the_stream(stack: Stack, name: str, value: str) -> None:
    slug = f"condition-{name.lower()}"
    with behind(stack, slug, HEAD + chunk(NOTIFICATION) + b"0\r\n\r\n") as (upstream, token):
        reply = get(stack, slug, token, (name, value))
        assert f"{name}: {value}".encode() in upstream.requests[-1]
    assert (reply.status, reply.body) == (200, NOTIFICATION)


@pytest.mark.parametrize(
    ("body", "status", "rule"), [(b"zz\r\n", 400, "request"), (b"500000\r\n" + b"x" * 0x500000, 413, "body")]
)
def test_a_body_that_cannot_be_read_is_refused_in_json_and_logged(
    stack: Stack, body: bytes, status: int, rule: str
) -> None:
    sent = [("Host", urlsplit(stack.url).netloc), ("Transfer-Encoding", "chunked"), ("Connection", "close")]
    with behind(stack, f"bodily-{rule}", HEAD) as (upstream, token):
        head = http1.head("GET", f"/mcp/bodily-{rule}", [*sent, ("Authorization", f"Bearer {token}")])
        reply = http1.exchange(stack.url, head + body)[0]
        assert upstream.requests == []
    assert (reply.status, reply.rule) == (status, rule)
    logged = (dict(reply.headers)["X-Request-Id"], "deny", rule)
    until(
        lambda: logged in [(line["request_id"], line["decision"], line["rule"]) for line in stack.audit()],
        what="the audit line",
    )


def test_a_caller_that_leaves_while_auth_is_asked_keeps_nobody_waiting(stack: Stack) -> None:
    where, pid = urlsplit(stack.url), stack.pid("auth")
    with behind(stack, "left", HEAD) as (_, token):
        sent = [("Host", where.netloc), ("Authorization", f"Bearer {token}")]
        os.kill(pid, signal.SIGSTOP)
        try:
            with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
                connection.sendall(http1.head("GET", "/mcp/left", sent))
                assert not closed_by_peer(connection, 0.3)
        finally:
            os.kill(pid, signal.SIGCONT)
        with httpx2.stream(
            "GET", f"{stack.url}/mcp/left", headers={"Authorization": f"Bearer {token}"}, timeout=2.5
        ) as answer:
            assert answer.status_code == 200
