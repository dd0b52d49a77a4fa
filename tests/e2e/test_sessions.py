"""Legacy sessions through the gateway: bound to who opened them, the same at every gateway, resumed there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from tests.e2e.beside import second_gateway, token_of_somebody_else
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.servers import serving, tools_server
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture(scope="module")
def sessions(stack: Stack) -> Iterator[str]:
    """The token of a caller of a server that keeps sessions, at /mcp/sessions."""
    with serving(tools_server().streamable_http_app()) as origin:
        stack.register("sessions", f"{origin}/mcp")
        stack.scope("sessions", "sessions")
        yield stack.token("sessions")


@dataclass
class Caller:
    url: str
    token: str

    def send(self, method: str, body: object = None, **headers: str) -> httpx2.Response:
        sent = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json, text/event-stream",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return httpx2.request(method, self.url, json=body, headers=sent, timeout=20)

    def initialize(self) -> str:
        answer = self.send("POST", INITIALIZE)
        assert answer.status_code == 200
        return str(answer.headers["Mcp-Session-Id"])

    def ping(self, session: str) -> httpx2.Response:
        return self.send("POST", {"jsonrpc": "2.0", "id": 1, "method": "ping"}, Mcp_Session_Id=session)


def behind(stack: Stack, upstream: Recorder, slug: str) -> Caller:
    """A caller of the recording upstream, after the registry has looked at it."""
    stack.register(slug, upstream.url)
    stack.scope(slug, slug)
    stack.api("POST", f"/api/servers/{slug}/refresh", expect=200)
    upstream.received.clear()
    return Caller(f"{stack.url}/mcp/{slug}", stack.token(slug))


@pytest.fixture
def caller(stack: Stack, sessions: str) -> Caller:
    return Caller(f"{stack.url}/mcp/sessions", sessions)


def test_a_session_goes_on_for_who_opened_it_and_ends_with_delete(caller: Caller) -> None:
    session = caller.initialize()
    assert caller.ping(session).status_code == 200
    assert caller.send("DELETE", Mcp_Session_Id=session).status_code == 200
    assert caller.ping(session).status_code == 404


def test_another_principal_gets_404_for_a_session_that_is_not_its_own(stack: Stack, caller: Caller) -> None:
    session = caller.initialize()
    stranger = Caller(caller.url, token_of_somebody_else(stack, "sessions"))
    refused = stranger.ping(session)
    assert (refused.status_code, refused.json()["error"]["data"]["rule"]) == (404, "session")
    assert stranger.send("DELETE", Mcp_Session_Id=session).status_code == 404
    assert stranger.send("GET", Mcp_Session_Id=session).status_code == 404
    assert caller.ping(session).status_code == 200


def test_an_id_of_the_upstream_itself_or_of_another_server_opens_nothing(
    stack: Stack, caller: Caller, upstream: Recorder
) -> None:
    session = caller.initialize()
    neighbour = behind(stack, upstream, "neighbour")
    for forged in (session, session[:-2] + "AA", "0123456789abcdef", ""):
        assert neighbour.ping(forged).status_code == 404
    assert upstream.received == []


def test_the_upstream_sees_its_own_id_and_the_client_never_does(
    stack: Stack, upstream: Recorder, caller: Caller
) -> None:
    mine = behind(stack, upstream, "sealed")
    upstream.answer = Answer(headers={"Content-Type": "application/json", "Mcp-Session-Id": "plain-id-7"})
    session = mine.initialize()
    assert "plain-id-7" not in session
    later = mine.ping(session)
    assert "Mcp-Session-Id" not in later.headers
    assert upstream.received[-1].header("Mcp-Session-Id") == ["plain-id-7"]


def test_the_stateless_protocol_takes_no_session(stack: Stack, upstream: Recorder) -> None:
    mine = behind(stack, upstream, "modern")
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    answer = mine.send(
        "POST", ping, Mcp_Session_Id="any", Last_Event_ID="any", MCP_Protocol_Version="2026-07-28"
    )
    assert answer.status_code == 200
    assert upstream.received[-1].header("Mcp-Session-Id") == []
    assert upstream.received[-1].header("Last-Event-ID") == []


def test_an_event_id_resumes_for_who_got_it_alone(stack: Stack, upstream: Recorder) -> None:
    mine = behind(stack, upstream, "events")
    stranger = Caller(mine.url, token_of_somebody_else(stack, "events"))
    event = b'event: message\nid: place-9\nretry: 500\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\n\n'
    upstream.answer = Answer(headers={"Content-Type": "text/event-stream"}, body=event)
    text = mine.send("GET").text
    place = re.search(r"^id: (\S+)$", text, re.MULTILINE)
    assert place
    assert "place-9" not in text
    assert text.replace(place[1], "place-9") == event.decode()
    upstream.received.clear()
    assert stranger.send("GET", Last_Event_ID=place[1]).status_code == 404
    assert upstream.received == []
    mine.send("GET", Last_Event_ID=place[1])
    assert upstream.received[-1].header("Last-Event-ID") == ["place-9"]


def test_two_gateways_side_by_side_serve_one_session(
    stack: Stack, caller: Caller, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with second_gateway(stack, tmp_path_factory.mktemp("gateway")) as origin:
        beside = Caller(f"{origin}/mcp/sessions", caller.token)
        session = caller.initialize()
        assert beside.ping(session).status_code == 200
        assert beside.send("DELETE", Mcp_Session_Id=session).status_code == 200
        assert caller.ping(session).status_code == 404
