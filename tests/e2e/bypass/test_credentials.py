from datetime import UTC, datetime, timedelta

import pytest

from app.core.tokens import mint
from tests.e2e.bypass.gate import PATH, Gate, call, message
from tests.e2e.stack import until

pytestmark = pytest.mark.e2e
CALL = call()
MALFORMED = {
    "empty": "Bearer",
    "only_spaces": "Bearer  ",
    "another_scheme": "Basic YWRtaW46YWRtaW4=",
    "no_scheme": mint(),
    "a_jwt": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJsb2NhbDphZG1pbiJ9.",
    "too_short": "Bearer gp_short",
    "too_long": f"Bearer {mint()}x",
    "a_comma": f"Bearer {mint()},{mint()}",
    "quotes": f'Bearer "{mint()}"',
    "an_encoded_line_end": f"Bearer {mint()}%0d%0aGatepost-Session: x",
    "not_ascii": "Bearer gp_\u00e9" + "x" * 42,
}


def refused(gate: Gate, token: str = "", *headers: tuple[str, str], reason: str) -> None:
    """A 401 that challenges, with that reason."""
    reply = gate.refuses(CALL, *headers, token=token, rule=reason, status=401)
    (challenge,) = reply.header("WWW-Authenticate")
    assert challenge.startswith("Bearer ")
    metadata = f"{gate.stack.url}/.well-known/oauth-protected-resource{PATH}"
    assert f'resource_metadata="{metadata}"' in challenge
    assert ('error="invalid_token"' in challenge) == (reason != "missing")
    (request_id,) = reply.header("X-Request-Id")
    until(
        lambda: [line["rule"] for line in gate.stack.audit() if line["request_id"] == request_id] == [reason],
        what="an audit line with the rule that the client was told",
    )


def test_no_token_is_challenged(gate: Gate) -> None:
    refused(gate, reason="missing")


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_token_is_refused(gate: Gate, value: str) -> None:
    refused(gate, "", ("Authorization", value), reason="malformed")


def test_a_token_that_nobody_made_is_refused(gate: Gate) -> None:
    refused(gate, mint(), reason="unknown")


def test_an_expired_token_is_refused(gate: Gate) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=2)
    body = {"name": "short", "expires_at": ends.isoformat()}
    token = gate.stack.api("POST", "/api/tokens", body, expect=201).json()["value"]
    assert gate.send(CALL, token=token).passed
    until(lambda: gate.send(CALL, token=token).status == 401, what="the end of the token")
    assert datetime.now(UTC) >= ends
    gate.received.clear()
    refused(gate, token, reason="expired")


def test_a_revoked_token_is_refused(gate: Gate) -> None:
    made = gate.stack.api("POST", "/api/tokens", {"name": "lost"}, expect=201).json()
    assert gate.send(CALL, token=made["value"]).passed
    gate.stack.api("DELETE", f"/api/tokens/{made['id']}", expect=204)
    until(lambda: gate.send(CALL, token=made["value"]).status == 401, seconds=2, what="the revocation")
    gate.received.clear()
    refused(gate, made["value"], reason="revoked")


def test_a_token_for_another_server_is_refused(gate: Gate) -> None:
    gate.stack.register("foreign", gate.recorder.url)
    gate.stack.api("POST", "/api/servers/foreign/refresh", expect=200)
    gate.stack.scope("foreign", "foreign")
    token = gate.stack.token("foreign")
    gate.received.clear()
    gate.refuses(CALL, token=token, rule="server", status=200)
    gate.refuses(message("initialize", {}), token=token, rule="server", status=200)
    gate.refuses(CALL, token=gate.token, path="/mcp/foreign", rule="server", status=200)
    assert gate.send(CALL, token=token, path="/mcp/foreign").passed


def test_a_server_out_of_reach_looks_like_one_that_does_not_exist(gate: Gate) -> None:
    gate.stack.register("hidden", gate.recorder.url)
    gate.stack.api("POST", "/api/servers/hidden/refresh", expect=200)
    gate.received.clear()
    for token in (gate.token, ""):
        hidden, absent = (gate.send(CALL, token=token, path=f"/mcp/{slug}") for slug in ("hidden", "absent"))
        assert (hidden.status, hidden.body) == (absent.status, absent.body)
        assert [len(reply.headers) for reply in (hidden, absent)] == [len(hidden.headers)] * 2
    assert gate.received == []


def test_a_token_in_the_query_is_no_token(gate: Gate) -> None:
    gate.refuses(CALL, token="", path=f"{PATH}?access_token={gate.token}", rule="missing", status=401)


def test_two_tokens_are_refused(gate: Gate) -> None:
    reply = gate.send(CALL, ("Authorization", f"Bearer {gate.token}"))
    assert reply.status == 400
    assert gate.received == []
