"""A client is told to ask for more scope where one more scope would help, and nowhere else."""

from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.e2e.authorizing import OAuthClient
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
SLUG, READS, WRITES = "stepped", "step-reads", "step-writes"
LEGACY, MODERN = "2025-11-25", "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}


@dataclass
class Caller:
    url: str
    token: str

    def call(self, tool: str, version: str, method: str = "tools/call") -> httpx2.Response:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": version,
        }
        params = {"name": tool, "arguments": {}, **({"_meta": META} if version == MODERN else {})}
        body = {"jsonrpc": "2.0", "id": "call-7", "method": method, "params": params}
        return httpx2.post(self.url, json=body, headers=headers, timeout=20)


@pytest.fixture(scope="module")
def client(stack: Stack, recorder: Recorder) -> OAuthClient:
    """A server with a scope that reads and one that writes, and a client that may ask for both."""
    stack.register(SLUG, recorder.url)
    stack.scope(READS, SLUG, tools=["read"])
    stack.scope(WRITES, SLUG, tools=["write"])
    stack.api(
        "POST",
        "/api/scopes",
        {
            "name": "step-strangers",
            "groups": ["strangers"],
            "servers": [{"server": SLUG, "methods": ["*"], "tools": ["theirs"]}],
        },
        expect=201,
    )
    return OAuthClient.register(stack)


@pytest.fixture(scope="module")
def narrow(stack: Stack, client: OAuthClient) -> Caller:
    return Caller(f"{stack.url}/mcp/{SLUG}", str(client.tokens(f"/mcp/{SLUG}", READS)["access_token"]))


def rule(answer: httpx2.Response) -> Any:
    return answer.json()["error"]["data"]["rule"]


@pytest.mark.parametrize("version", [LEGACY, MODERN])
def test_a_call_that_another_scope_would_allow_is_insufficient_scope_in_every_era(
    stack: Stack, narrow: Caller, upstream: Recorder, version: str
) -> None:
    assert "result" in narrow.call("read", version).json()
    upstream.received.clear()
    refused = narrow.call("write", version)
    assert (refused.status_code, rule(refused), refused.json()["id"]) == (403, "tool", "call-7")
    assert refused.headers["WWW-Authenticate"] == (
        f'Bearer error="insufficient_scope", scope="{READS} offline_access {WRITES}", '
        f'resource_metadata="{stack.url}/.well-known/oauth-protected-resource/mcp/{SLUG}", '
        "error_description=\"no scope of yours allows tools/call of the tool 'write'; "
        'a scope that names it would help"'
    )
    assert not any(b"call-7" in received.body for received in upstream.received)  # others are looks


def test_with_what_it_was_told_to_ask_for_the_client_gets_through(
    client: OAuthClient, narrow: Caller, upstream: Recorder
) -> None:
    del upstream
    told = narrow.call("write", LEGACY).headers["WWW-Authenticate"]
    scopes = told.partition('scope="')[2].partition('"')[0].split()
    wide = Caller(narrow.url, str(client.tokens(f"/mcp/{SLUG}", *scopes)["access_token"]))
    assert "result" in wide.call("write", LEGACY).json()
    assert "result" in wide.call("read", LEGACY).json()


@pytest.mark.parametrize(("version", "status"), [(LEGACY, 200), (MODERN, 403)])
@pytest.mark.parametrize("tool", ["nothing", "theirs"])
def test_a_call_that_no_scope_of_the_person_allows_is_refused_as_ever(
    narrow: Caller, tool: str, version: str, status: int
) -> None:
    refused = narrow.call(tool, version)
    assert (refused.status_code, rule(refused)) == (status, "tool")
    assert "WWW-Authenticate" not in refused.headers


def test_a_method_that_does_not_exist_is_no_question_of_scope(narrow: Caller) -> None:
    refused = narrow.call("read", LEGACY, method="tools/destroy")
    assert (refused.status_code, rule(refused)) == (200, "unknown_method")
    assert "WWW-Authenticate" not in refused.headers


def test_a_personal_token_is_told_nothing_since_its_client_cannot_ask(stack: Stack, narrow: Caller) -> None:
    refused = Caller(narrow.url, stack.token(READS)).call("write", LEGACY)
    assert (refused.status_code, rule(refused)) == (200, "tool")
    assert "WWW-Authenticate" not in refused.headers


def test_a_server_that_is_disabled_is_no_question_of_scope(stack: Stack, client: OAuthClient) -> None:
    stack.register("step-off", "http://127.0.0.1:9/mcp")
    for name in ("step-off-a", "step-off-b"):
        stack.scope(name, "step-off", tools=[name])
    stack.api("POST", "/api/servers/step-off/disable", expect=200)
    token = str(client.tokens("/mcp/step-off", "step-off-a")["access_token"])
    refused = Caller(f"{stack.url}/mcp/step-off", token).call("step-off-b", MODERN)
    assert (refused.status_code, rule(refused)) == (403, "tool")
    assert "WWW-Authenticate" not in refused.headers


def test_a_stream_that_needs_a_scope_is_told_which(stack: Stack, client: OAuthClient) -> None:
    stack.register("step-streams", "http://127.0.0.1:9/mcp")
    stack.scope("step-streams-a", "step-streams", tools=["a"])
    elsewhere = str(client.tokens("/mcp/step-streams", "step-streams-a")["access_token"])
    answer = stack.api("GET", "/api/scopes/step-streams-a", expect=200)
    scope = {key: value for key, value in answer.json().items() if key != "warnings"}
    stack.api("POST", "/api/scopes", {**scope, "name": "step-streams-b"}, expect=201)
    stack.api("DELETE", "/api/scopes/step-streams-a", expect=204, if_match=answer.headers["ETag"])
    headers = {"Authorization": f"Bearer {elsewhere}", "Accept": "text/event-stream"}
    refused = httpx2.get(f"{stack.url}/mcp/step-streams", headers=headers)
    assert (refused.status_code, rule(refused)) == (403, "server")
    assert 'scope="step-streams-a offline_access step-streams-b"' in refused.headers["WWW-Authenticate"]
