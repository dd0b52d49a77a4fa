import json

import pytest

from tests.e2e.bypass.gate import JSON, LEGACY, MODERN, SLUG, UPSTREAM_SECRET, Gate, call, message
from tests.e2e.recorder import Answer
from tests.e2e.stack import free_port, until

pytestmark = pytest.mark.e2e
OTHER_SECRET = "key-in-a-header-of-its-own-91c2"
ANSWERS = {
    "result": Answer(),
    "challenge": Answer(401, {"Content-Type": "application/json", "WWW-Authenticate": "Bearer"}, b"{}"),
    "forbidden": Answer(403, {"Content-Type": "application/json"}, b"{}"),
    "page": Answer(200, {"Content-Type": "text/html"}, b"<html>"),
    "redirect": Answer(307, {"Location": "https://evil.example/"}, b""),
    "error": Answer(500, {"Content-Type": "application/json"}, b"{}"),
    "unavailable": Answer(503, {"Content-Type": "text/html"}, b"<html>"),
}
BODIES = {
    "allowed": call(),
    "denied": call("forbidden"),
    "unreadable": b"{",
    "batch": b"[]",
    "list": message("tools/list", {}),
    "too_large": b"x" * (4 * 1024 * 1024 + 1),
}


def written(gate: Gate) -> dict[str, bytes]:
    """All that the stack has written, but for its folder of secrets."""
    folder = gate.stack.file()
    files = (path for path in folder.rglob("*") if path.is_file() and "secrets" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def holding(gate: Gate, *secrets: str) -> list[str]:
    """The files that hold one of these."""
    return [
        name for name, data in written(gate).items() if any(secret.encode() in data for secret in secrets)
    ]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_clients_token_and_the_upstreams_credential_never_meet(
    gate: Gate, body: bytes, answer: Answer
) -> None:
    gate.recorder.answer = answer
    replies = [gate.send(body, era) for era in (LEGACY, MODERN)]
    replies += [gate.send(b"", method=method, kind=None) for method in ("GET", "DELETE")]
    for received in gate.received:
        assert gate.token not in repr(received)
        assert received.header("Authorization") == [f"Bearer {UPSTREAM_SECRET}"]
    for reply in replies:
        assert UPSTREAM_SECRET.encode() not in reply.everything()
        assert gate.token.encode() not in reply.everything()
    assert holding(gate, gate.token, UPSTREAM_SECRET) == []


def test_a_credential_in_a_header_of_its_own_takes_the_place_of_the_clients(gate: Gate) -> None:
    gate.stack.register("keyed", gate.recorder.url)
    gate.stack.api(
        "PUT", "/api/servers/keyed/credential", {"headers": {"X-Api-Key": OTHER_SECRET}}, expect=204
    )
    gate.stack.api("POST", "/api/servers/keyed/refresh", expect=200)
    gate.stack.scope("keyed", "keyed")
    token = gate.stack.token("keyed")
    gate.received.clear()
    reply = gate.passes(call(), ("X-Api-Key", "the client's"), token=token, path="/mcp/keyed")
    (received,) = gate.received
    assert (received.header("X-Api-Key"), received.header("Authorization")) == ([OTHER_SECRET], [])
    assert OTHER_SECRET.encode() not in reply.everything()
    assert token not in repr(received)
    answer = gate.stack.api("GET", "/api/servers/keyed", expect=200)
    assert OTHER_SECRET not in answer.text
    assert holding(gate, OTHER_SECRET, token) == []


def test_a_token_that_is_refused_is_written_nowhere(gate: Gate) -> None:
    wrong = "gp_" + "wrong-and-not-to-be-logged".ljust(43, "x")
    for token in (wrong, wrong + " and more", f"{wrong}\u00e9"):
        assert gate.send(call(), token=token).status == 401
        assert gate.send(b"", method="GET", path="/api/me", kind=None, token=token).status == 401
    gate.send(call(), ("Authorization", f"Basic {wrong}"), token="")
    assert holding(gate, wrong) == []


def test_an_upstream_that_is_gone_leaves_no_credential_in_a_log(gate: Gate) -> None:
    secret = "credential-of-what-is-gone-55d0"
    gate.stack.register("vanished", f"http://127.0.0.1:{free_port()}/mcp", bearer=secret)
    gate.stack.api("POST", "/api/servers/vanished/refresh", expect=200)
    gate.stack.scope("vanished", "vanished")
    token = gate.stack.token("vanished")
    assert secret.encode() not in gate.send(call(), token=token, path="/mcp/vanished").everything()
    assert holding(gate, secret, token) == []


def test_the_audit_log_says_who_called_what_and_never_with_which_arguments(gate: Gate) -> None:
    arguments = {"text": "an-argument-that-stays-private"}
    result = {"jsonrpc": "2.0", "id": 7, "result": {"content": ["a-result-that-stays-private"]}}
    gate.recorder.answer = Answer(200, {"Content-Type": "application/json"}, json.dumps(result).encode())
    body = {"name": "audited", "scopes": [SLUG]}
    made = gate.stack.api("POST", "/api/tokens", body, expect=201).json()

    def lines() -> list[dict[str, object]]:
        return [line for line in gate.stack.audit() if line["client"] == f"token:{made['id']}"]

    assert gate.send(call(arguments=arguments), token=made["value"]).passed
    gate.send(call("forbidden", arguments=arguments), token=made["value"])
    until(lambda: len(lines()) == 2, what="both lines")
    allowed, denied = lines()
    for line, tool, decision in ((allowed, "allowed", "allow"), (denied, "forbidden", "deny")):
        assert (line["subject"], line["server"]) == ("local:admin", SLUG)
        assert (line["method"], line["tool"], line["decision"]) == ("tools/call", tool, decision)
    assert holding(gate, "that-stays-private") == []


def test_a_session_and_a_password_are_written_nowhere(gate: Gate) -> None:
    password = gate.stack.file("secrets", "admin_password").read_text().strip()
    form = ("Content-Type", "application/x-www-form-urlencoded")
    sent = f"username=admin&password={password}".encode()
    reply = gate.send(sent, ("Origin", gate.stack.url), path="/login", token="", kind=form)
    (cookie,) = (made for made in reply.header("Set-Cookie") if "session=" in made)
    session = cookie.partition(";")[0].partition("=")[2]
    own = [("Cookie", cookie.partition(";")[0]), ("Origin", gate.stack.url), JSON]
    assert gate.send(call(), *own[:2], token="").passed
    assert session not in repr(gate.received)
    assert holding(gate, session, password) == []


@pytest.mark.parametrize(
    "path", ["/mcp", "/mcp/", "/gatepost-bad-request", "/mcp/%00", "*", "/mcp/recorded x"]
)
def test_whatever_is_asked_for_the_audit_log_stays_readable(gate: Gate, path: str) -> None:
    before = len(gate.stack.audit())
    gate.send(call(), path=path)
    assert gate.send(call()).passed
    until(lambda: len(gate.stack.audit()) > before, what="the line of the call")
