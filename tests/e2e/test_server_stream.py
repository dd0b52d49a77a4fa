"""The stream that a GET opens: it begins though the upstream is silent, and ends as the upstream ends it."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from tests.e2e.held import NOTIFICATION, Held, held
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@contextmanager
def behind(stack: Stack, slug: str, start: bytes = b"", **ours: object) -> Iterator[tuple[Held, str]]:
    with held(start) as upstream:
        stack.register(slug, upstream.url, bearer="secret-of-the-stream", **ours)
        stack.scope(slug, slug)
        yield upstream, stack.token(slug)


@contextmanager
def listening(stack: Stack, slug: str, token: str) -> Iterator[httpx2.Response]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream", "X-Kept": "this"}
    with httpx2.stream("GET", f"{stack.url}/mcp/{slug}", headers=headers, timeout=20) as answer:
        yield answer


def test_headers_come_although_the_upstream_is_silent_and_its_events_later(stack: Stack) -> None:
    with (
        behind(stack, "silent") as (upstream, token),
        listening(stack, "silent", token) as answer,
    ):
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
        upstream.say(HEAD + chunk(NOTIFICATION))
        assert next(answer.iter_bytes()) == NOTIFICATION


@pytest.mark.parametrize("start", [b"", HEAD], ids=["silent", "head"])
def test_headers_come_by_http2_before_there_is_an_event(tls_stack: Stack, start: bytes) -> None:
    slug = f"silent-http2-{len(start)}"
    with (
        behind(tls_stack, slug, start) as (upstream, token),
        httpx2.Client(http2=True, verify=False, timeout=10) as client,
        client.stream(
            "GET", f"{tls_stack.url}/mcp/{slug}", headers={"Authorization": f"Bearer {token}"}
        ) as answer,
    ):
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
        upstream.say(HEAD * (not start) + chunk(NOTIFICATION) + b"0\r\n\r\n")
        assert answer.read() == b":\n\n" + NOTIFICATION


def test_the_upstream_gets_the_clients_headers_and_its_own_credential(stack: Stack) -> None:
    with behind(stack, "asked", HEAD) as (upstream, token), listening(stack, "asked", token):
        request = upstream.requests[-1]
    assert request.startswith(b"GET /mcp HTTP/1.1\r\n")
    assert b"X-Kept: this\r\n" in request
    assert b"Authorization: Bearer secret-of-the-stream\r\n" in request
    assert token.encode() not in request


def test_an_upstream_without_a_stream_says_so_itself(stack: Stack) -> None:
    refusal = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Type: application/json\r\n"
    body = b'{"jsonrpc": "2.0", "error": {"code": -32000, "message": "no"}, "id": null}'
    start = refusal + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    with behind(stack, "none", start) as (_, token), listening(stack, "none", token) as answer:
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert answer.read() == body


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "credential"),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", "redirect"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "kind"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "unreachable"),
    ],
)
def test_what_is_no_stream_is_named(stack: Stack, start: bytes, rule: str) -> None:
    with behind(stack, f"no-{rule}", start) as (_, token), listening(stack, f"no-{rule}", token) as answer:
        assert answer.status_code == 502
        answer.read()
        assert answer.json()["error"]["data"] == {"layer": "upstream", "rule": rule}


def test_a_stream_that_breaks_off_does_not_look_as_if_it_had_ended(stack: Stack) -> None:
    with behind(stack, "breaks", HEAD) as (upstream, token):
        with listening(stack, "breaks", token) as answer:
            upstream.say(chunk(NOTIFICATION) + b"100\r\nhalf of", last=True)
            with pytest.raises(httpx2.RemoteProtocolError):
                answer.read()
        with listening(stack, "breaks", token) as answer:
            upstream.say(chunk(NOTIFICATION) + b"0\r\n\r\n")
            assert answer.read() == NOTIFICATION


def test_a_client_that_goes_away_is_gone_at_the_upstream(stack: Stack) -> None:
    with behind(stack, "leaves", HEAD) as (upstream, token):
        with listening(stack, "leaves", token):
            before = upstream.closed
        until(lambda: upstream.closed > before, 1.0, "the end at the upstream")


def test_an_upstream_that_is_not_there_is_named(stack: Stack) -> None:
    stack.register("absent", "http://127.0.0.1:9/mcp")
    stack.scope("absent", "absent")
    with listening(stack, "absent", stack.token("absent")) as answer:
        answer.read()
        assert answer.json()["error"]["data"]["rule"] == "unreachable"
