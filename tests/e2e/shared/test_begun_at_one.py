"""What is begun at one host goes on at the other: no process keeps what a person or client needs."""

import base64
from pathlib import Path

import httpx2
import pytest

from tests.e2e.abuse.logins import log_in, session_of
from tests.e2e.authorizing import OAuthClient
from tests.e2e.by_form import ByForm
from tests.e2e.calling import call
from tests.e2e.idp.sdk_client import SdkClient
from tests.e2e.shared.conftest import Pair
from tests.e2e.stack import Stack, free_port, until

pytestmark = pytest.mark.e2e
IN_FORCE_S = 5  # `bench.shared` measures how long it takes


def test_a_session_begun_at_one_is_known_at_the_other_and_ends_at_both(pair: Pair) -> None:
    session = {**session_of(log_in(pair.both)), "Sec-Fetch-Site": "same-origin"}
    for _ in range(4):
        answer = httpx2.get(f"{pair.both.url}/api/me", headers=session)
        assert (answer.status_code, answer.json()["subject"]) == (200, "local:admin")
    headers = {**session, "Origin": pair.both.url}
    assert httpx2.post(f"{pair.first.url}/logout", headers=headers).status_code == 303
    until(lambda: _status(pair.second, session) == 401, IN_FORCE_S, "the end of the session")


def _status(stack: Stack, headers: dict[str, str]) -> int:
    return httpx2.get(f"{stack.url}/api/me", headers=headers).status_code


def test_a_client_registers_authorizes_and_redeems_its_code_at_whichever_answers(pair: Pair) -> None:
    tokens = OAuthClient.register(pair.both).tokens("/mcp/tools", "adding")
    assert call(pair.first, "tools", tokens["access_token"], "add") == "ran"
    assert call(pair.second, "tools", tokens["access_token"], "add") == "ran"


def test_the_sdks_client_logs_in_calls_and_refreshes_behind_the_balancer(pair: Pair) -> None:
    with SdkClient(f"{pair.both.url}/mcp/tools") as client:
        assert client.call("add", {"a": 2, "b": 3}, ByForm(pair.both)) == {"result": 5}
        for number in range(3):
            client.expire()
            assert client.call("add", {"a": 2, "b": number}) == {"result": 2 + number}
        assert len(client.asked) == 1


@pytest.mark.parametrize("turned", [False, True])
def test_a_change_at_one_is_in_force_at_the_other(pair: Pair, turned: bool) -> None:
    here, there = reversed(pair.sides) if turned else pair.sides
    name = f"turned-{turned}".lower()
    token = here.token()
    here.scope(name, "tools", tools=["secret_note"])
    until(lambda: call(there, "tools", token, "secret_note") == "ran", IN_FORCE_S, "the scope")
    here.api("POST", "/api/servers/tools/tools/secret_note/block", expect=200)
    until(lambda: call(there, "tools", token, "secret_note") == "blocked", IN_FORCE_S, "the block")
    here.api("POST", "/api/servers/tools/tools/secret_note/unblock", expect=200)
    until(lambda: call(there, "tools", token, "secret_note") == "ran", IN_FORCE_S, "the tool's return")
    here.api("DELETE", f"/api/scopes/{name}", expect=204)
    until(lambda: call(there, "tools", token, "secret_note") == "tool", IN_FORCE_S, "the end")


def test_a_revoked_token_ends_at_the_other(pair: Pair) -> None:
    made = pair.first.api("POST", "/api/tokens", {"name": "short"}, expect=201).json()
    assert call(pair.second, "tools", made["value"], "add") == "ran"
    pair.first.api("DELETE", f"/api/tokens/{made['id']}", expect=204)
    bearer = {"Authorization": f"Bearer {made['value']}"}
    until(lambda: _status(pair.second, bearer) == 401, IN_FORCE_S, "the end of the token")


def test_calls_at_either_gateway_are_in_one_audit_log(pair: Pair) -> None:
    token = pair.second.token()
    for stack in pair.sides:
        assert call(stack, "tools", token, "add") == "ran"
    ids = {line["request_id"] for stack in pair.sides for line in stack.audit() if line.get("tool") == "add"}

    def all_there() -> bool:
        found = pair.first.api("GET", "/api/audit?limit=1000").json()["items"]
        return ids <= {event["request_id"] for event in found}

    until(all_there, 15, "the lines of both")


def test_a_host_with_other_sealing_keys_does_not_start_and_says_which_it_needs(
    pair: Pair, tmp_path: Path
) -> None:
    key = base64.b64encode(b"x" * 32).decode()
    own = {"GATEPOST_SEALING_KEYS": key, "GATEPOST_GATEWAY_PORT": str(free_port())}
    environ = {**pair.second.environ, **own}
    said = Stack(tmp_path, "", environ).command("up", "--detach", expect=1).stderr
    assert "was sealed with key" in said
    assert "GATEPOST_SEALING_KEYS" in said


def test_both_sign_with_one_key_and_publish_the_same(pair: Pair) -> None:
    found = [httpx2.get(f"{stack.url}/oauth/jwks").json() for stack in pair.sides]
    assert found[0] == found[1]
    assert len(found[0]["keys"]) == 1
