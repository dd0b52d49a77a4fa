import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import httpx2
import pytest

from tests.e2e.bypass import http1
from tests.e2e.bypass.gate import ACCEPT, JSON, MODERN, call
from tests.e2e.bypass.reply import Reply
from tests.e2e.raw_upstream import EVENTS, behaving
from tests.e2e.recorder import Answer, Received, Recorder
from tests.e2e.stack import Stack, until
from tests.e2e.stored import stored
from tests.token_server import TokenServer

pytestmark = pytest.mark.e2e
CLIENT_SECRET = "client-secret-5b1e"
slugs = (f"oauth-{number}" for number in count())


@pytest.fixture
def endpoint() -> Iterator[TokenServer]:
    """A token endpoint in a thread of its own."""
    with TokenServer.in_thread() as made:
        yield made


@dataclass
class Attached:
    """A server behind the gateway that wants a token of that endpoint."""

    stack: Stack
    slug: str
    token: str = ""

    @classmethod
    def at(cls, stack: Stack, upstream: Recorder, endpoint: TokenServer) -> "Attached":
        made = cls(stack, next(slugs))
        stack.register(made.slug, upstream.url)
        made.set_credential(endpoint)
        stack.api("POST", f"/api/servers/{made.slug}/refresh", expect=200)
        stack.scope(made.slug, made.slug)
        made.token = stack.token(made.slug)
        upstream.received.clear()
        return made

    def set_credential(self, endpoint: TokenServer) -> None:
        oauth = {"token_url": endpoint.url, "client_id": "gatepost", "client_secret": CLIENT_SECRET}
        self.stack.api("PUT", f"/api/servers/{self.slug}/credential", {"oauth": oauth}, expect=204)

    def call(self) -> Reply:
        headers = [ACCEPT, JSON, MODERN, ("Authorization", f"Bearer {self.token}")]
        return http1.request(self.stack.url, "POST", f"/mcp/{self.slug}", headers, call())


def authorizations(upstream: Recorder) -> list[tuple[Received, str]]:
    """What the upstream was sent as `Authorization`, with each request."""
    return [(one, value) for one in upstream.received for value in one.header("Authorization")]


def sent(upstream: Recorder) -> list[str]:
    return [value for _, value in authorizations(upstream)]


def test_calls_carry_a_token_that_one_request_was_made_for(
    stack: Stack, upstream: Recorder, endpoint: TokenServer
) -> None:
    server = Attached.at(stack, upstream, endpoint)
    before = len(endpoint.asked)
    for _ in range(5):
        assert server.call().passed
    assert len(set(sent(upstream))) == 1
    assert sent(upstream)[0].startswith("Bearer token-")
    assert len(endpoint.asked) - before <= 1


def test_the_registrys_own_looks_carry_a_token_too(
    stack: Stack, upstream: Recorder, endpoint: TokenServer
) -> None:
    server = Attached.at(stack, upstream, endpoint)
    stack.api("POST", f"/api/servers/{server.slug}/refresh", expect=200)
    assert sent(upstream)
    assert all(value.startswith("Bearer token-") for value in sent(upstream))


def test_a_token_is_renewed_before_it_expires(
    stack: Stack, upstream: Recorder, endpoint: TokenServer
) -> None:
    endpoint.life = 3
    server = Attached.at(stack, upstream, endpoint)

    def renewed() -> bool:
        assert server.call().passed
        return len(set(sent(upstream))) >= 3

    until(renewed, what="the second renewal")
    seen = [(one.at, value.removeprefix("Bearer ")) for one, value in authorizations(upstream)]
    assert not endpoint.seen_after_its_end(seen)


def test_a_stream_outlives_the_token_that_it_began_with(stack: Stack, endpoint: TokenServer) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(EVENTS)
        for _ in range(80):
            connection.sendall(b"data: {}\n\n")
            time.sleep(0.05)

    endpoint.life = 2
    with behaving(drip) as upstream:
        slug = next(slugs)
        stack.register(slug, upstream.url)
        Attached(stack, slug).set_credential(endpoint)
        stack.scope(slug, slug)
        headers = dict([ACCEPT, JSON, ("Authorization", f"Bearer {stack.token(slug)}")])
        answer = httpx2.post(f"{stack.url}/mcp/{slug}", content=call(), headers=headers, timeout=20)
    assert answer.content == b"data: {}\n\n" * 80


def test_a_token_that_cannot_be_had_is_named_and_had_again_later(
    stack: Stack, upstream: Recorder, endpoint: TokenServer
) -> None:
    endpoint.refuse = (401, {"error": "invalid_client", "error_description": CLIENT_SECRET})
    server = Attached.at(stack, upstream, endpoint)
    reply = server.call()
    assert (reply.status, reply.rule, reply.error["data"]["layer"]) == (502, "token_endpoint", "upstream")
    assert "status 401, invalid_client" in reply.error["message"]
    health = stack.api("GET", f"/api/servers/{server.slug}/health").json()
    assert (health["state"], "invalid_client" in health["reason"]) == ("credential_expired", True)
    assert upstream.received == []
    endpoint.refuse = None
    until(lambda: server.call().passed, what="a token")


def test_the_clients_secret_is_nowhere(stack: Stack, upstream: Recorder, endpoint: TokenServer) -> None:
    server = Attached.at(stack, upstream, endpoint)
    upstream.answer = Answer(401, {"Content-Type": "application/json"}, b"{}")
    assert server.call().rule == "credential"
    upstream.answer = Answer()
    token = sent(upstream)[0].removeprefix("Bearer ")
    places = {str(file): file.read_bytes() for file in stack.file("logs").iterdir()}
    places["store"] = stored(stack)
    assert server.slug.encode() in places["store"]
    for place, content in places.items():
        assert CLIENT_SECRET.encode() not in content, place
        assert token.encode() not in content, place


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/token", "never connects there"),
        ("https://10.1.2.3/token", "a private address"),
        ("http://nowhere.invalid/token", "in the clear"),
    ],
)
def test_a_token_endpoint_that_must_not_be_asked_is_refused(
    stack: Stack, upstream: Recorder, url: str, reason: str
) -> None:
    slug = next(slugs)
    stack.register(slug, upstream.url)
    body = {"oauth": {"token_url": url, "client_id": "gatepost", "client_secret": CLIENT_SECRET}}
    answer = stack.api("PUT", f"/api/servers/{slug}/credential", body, expect=422)
    assert reason in answer.json()["detail"]
    assert CLIENT_SECRET not in answer.text
