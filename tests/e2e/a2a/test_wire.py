"""What goes to an agent and what of its answer comes back, over HTTP/1.1 and HTTP/2."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.e2e.a2a.conftest import CREDENTIAL, scope
from tests.e2e.bypass import http1, http2
from tests.e2e.bypass.reply import Reply
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.stack import Stack
from tests.unit.registry.agents.cards import card

pytestmark = pytest.mark.e2e
SLUG = "recorded-agent"
JSON, A2A_JSON = ("Content-Type", "application/json"), ("Content-Type", "application/a2a+json; charset=utf-8")
MESSAGE = (
    b'{ "message" : {"messageId":"1", "parts":[{"text":"\xc3\xa9 \\u00e9 1e400"}]} ,'
    b' "metadata":{"n":9007199254740993}}'
)
RPC = b'{"id":18014398509481985,"params":' + MESSAGE + b',"method":"SendMessage", "jsonrpc":"2.0"}'


@dataclass
class Way:
    """One protocol to an agent that keeps what it receives."""

    stack: Stack
    token: str
    recorder: Recorder
    request: Callable[..., Reply]

    def send(self, path: str, body: bytes = b"", *headers: tuple[str, str], method: str = "POST") -> Reply:
        sent = [("Authorization", f"Bearer {self.token}"), *headers]
        return self.request(self.stack.url, method, f"/a2a/{SLUG}{path}", sent, body)


@pytest.fixture(scope="session", params=["http1", "http2"])
def open_way(request: pytest.FixtureRequest, recorder: Recorder) -> Way:
    client = {"http1": http1, "http2": http2}[request.param]
    stack: Stack = request.getfixturevalue({"http1": "stack", "http2": "tls_stack"}[request.param])
    given = card(recorder.url.removesuffix("/mcp"), _meta={"dev.gatepost/agent": {"slug": SLUG}})
    stack.api("POST", "/api/agents", given, expect=201)
    stack.api("PUT", f"/api/agents/{SLUG}/credential", {"headers": {"X-Key": CREDENTIAL}}, expect=204)
    return Way(stack, scope(stack, SLUG, SLUG, "*"), recorder, client.request)


@pytest.fixture
def way(open_way: Way, upstream: Recorder) -> Way:
    assert upstream is open_way.recorder
    return open_way


@pytest.mark.parametrize(
    ("path", "kind", "body", "target"),
    [("", JSON, RPC, "/rpc"), ("/message:send?x=%20y", A2A_JSON, MESSAGE, "/rest/message:send?x=%20y")],
)
def test_the_client_s_own_bytes_reach_the_agent_and_its_identity_does_not(
    way: Way, path: str, kind: tuple[str, str], body: bytes, target: str
) -> None:
    foreign = [
        ("X-Forwarded-Host", "evil.example"),
        ("Gatepost-Identity", "x"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Key", "the client's own"),
    ]
    way.send(path, body, kind, ("A2A-Version", "1.0"), ("A2A-Extensions", "urn:x"), *foreign)
    [received] = way.recorder.received
    assert (received.method, received.target, received.body) == ("POST", target, body)
    assert received.header("A2A-Extensions") == ["urn:x"]
    assert received.header("A2A-Version") == ["1.0"]
    assert received.header("X-Key") == [CREDENTIAL]
    for name in ("Authorization", "X-Forwarded-Host", "Gatepost-Identity", "X-HTTP-Method-Override"):
        assert received.header(name) == []


def test_a_path_that_ends_a_configuration_reaches_the_agent_without_a_body(way: Way) -> None:
    way.recorder.answer = Answer(204, {}, b"")
    reply = way.send("/tasks/t-1/pushNotificationConfigs/p", method="DELETE")
    [received] = way.recorder.received
    assert (received.method, received.target) == ("DELETE", "/rest/tasks/t-1/pushNotificationConfigs/p")
    assert reply.status == 204
    way.recorder.received.clear()
    assert way.send("/tasks/t-1", b"{}", JSON, method="GET").status == 400
    assert way.recorder.received == []


@pytest.mark.parametrize(
    "kind", ["application/json", "application/a2a+json", "Application/A2A+JSON; charset=utf-8"]
)
def test_the_media_types_of_the_binding_pass_byte_for_byte(way: Way, kind: str) -> None:
    body = b'{ "task" : {"id":"t","metadata":{"n":9007199254740993}} }'
    way.recorder.answer = Answer(200, {"Content-Type": kind, "Set-Cookie": "a=b"}, body)
    reply = way.send("/message:send", MESSAGE, JSON)
    assert (reply.status, reply.body) == (200, body)
    assert b"a=b" not in reply.everything()


def test_a_client_error_of_the_agent_passes_byte_for_byte(way: Way) -> None:
    body = b'{"error":{"code":404,"status":"NOT_FOUND","message":"no"}}'
    way.recorder.answer = Answer(404, {"Content-Type": "application/a2a+json"}, body)
    reply = way.send("/tasks/none", method="GET")
    assert (reply.status, reply.body) == (404, body)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (Answer(200, {"Content-Type": "text/html"}, b"<html>"), "kind"),
        (
            Answer(401, {"Content-Type": "application/json", "WWW-Authenticate": "Bearer"}, b"{}"),
            "credential",
        ),
        (Answer(403, {"Content-Type": "application/json"}, b"{}"), "credential"),
        (Answer(307, {"Location": "https://evil.example/"}, b""), "redirect"),
        (Answer(200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"x"), "encoded"),
    ],
)
def test_what_may_not_pass_becomes_an_error_in_the_form_of_the_binding(
    way: Way, answer: Answer, rule: str
) -> None:
    way.recorder.answer = answer
    rpc = way.send("", RPC, JSON)
    assert rpc.status == 200
    assert b'"id":18014398509481985,' in rpc.body
    assert json.loads(rpc.body)["error"]["data"] == {"layer": "upstream", "rule": rule}
    rest = way.send("/message:send", MESSAGE, A2A_JSON)
    assert rest.status == 502
    assert json.loads(rest.body)["error"]["details"][0]["metadata"] == {"layer": "upstream", "rule": rule}
    for reply in (rpc, rest):
        assert b"evil.example" not in reply.everything()
        assert CREDENTIAL.encode() not in reply.everything()


def test_a_body_of_another_kind_reaches_no_agent(way: Way) -> None:
    kinds = ["text/plain", "application/json; charset=utf-16", "application/a2a+jsonx"]
    for kind in kinds:
        assert way.send("/message:send", MESSAGE, ("Content-Type", kind)).status == 415
    assert way.send("", RPC, A2A_JSON).status == 415
    assert way.send("/message:send", MESSAGE, JSON, ("Content-Encoding", "gzip")).status == 415
    assert way.send("/message:send", b'{"a":"' + b"x" * (4 * 1024 * 1024) + b'"}', JSON).status == 413
    assert way.recorder.received == []


def test_neither_a_scope_on_an_agent_nor_its_credential_is_for_a_server_of_its_slug(way: Way) -> None:
    way.stack.register(SLUG, way.recorder.url)
    sent = [("Authorization", f"Bearer {way.token}"), JSON]
    call = b'{"jsonrpc":"2.0","id":1,"method":"invoke"}'
    for path in (f"/mcp/{SLUG}", "/mcp/registry", "/a2a/other"):
        reply = way.request(way.stack.url, "POST", path, sent, call)
        assert json.loads(reply.body)["error"]["data"]["layer"] == "policy"
    way.stack.api("DELETE", f"/api/servers/{SLUG}", expect=204)
    assert [one for one in way.recorder.received if one.header("X-Key")] == []
