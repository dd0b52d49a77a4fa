"""What the stateless protocol (2026-07-28) asks of a gateway."""

import base64
import json

import httpx2
import pytest

from tests.e2e.held import EVENT_STREAM, NOTIFICATION, held
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
CANCELLED_S = 1.0
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def headers(token: str, method: str, **more: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": method,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def request(method: str, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}


@pytest.fixture
def token(stack: Stack, upstream: Recorder) -> str:
    """A caller of the recording upstream at /mcp/stateless, who may read and watch one resource."""
    if stack.api("GET", "/api/servers/stateless").status_code == 404:
        stack.register("stateless", upstream.url)
        stack.scope("stateless", "stateless", resources=["res://mine"])
        stack.api("POST", "/api/servers/stateless/refresh", expect=200)
    upstream.received.clear()
    return stack.token("stateless")


def post(stack: Stack, token: str, body: dict[str, object], **more: str) -> httpx2.Response:
    return httpx2.post(
        f"{stack.url}/mcp/stateless",
        json=body,
        headers=headers(token, str(body["method"]), **more),
        timeout=20,
    )


@pytest.mark.parametrize(
    "start", [b"", EVENT_STREAM + NOTIFICATION], ids=["before it answers", "amid a stream"]
)
def test_a_client_that_goes_away_cancels_at_the_upstream(stack: Stack, start: bytes) -> None:
    slug = "cancels-late" if start else "cancels-early"
    with held(start) as upstream:
        stack.register(slug, upstream.url)
        stack.scope(slug, slug)
        token = stack.token(slug)
        before = upstream.closed
        body = request("tools/call", name="slow", arguments={})
        sent = headers(token, "tools/call", Mcp_Name="slow")
        # Waits for headers where none come: the client gives up, as one that cancels.
        with (
            pytest.raises(httpx2.ReadTimeout),
            httpx2.stream("POST", f"{stack.url}/mcp/{slug}", json=body, headers=sent, timeout=1.0) as answer,
        ):
            list(answer.iter_lines())
        until(lambda: any(b"tools/call" in one for one in upstream.requests), what="the call")
        until(lambda: upstream.closed > before, CANCELLED_S, "the cancellation at the upstream")


def test_parameters_in_headers_reach_the_upstream_untouched(
    stack: Stack, token: str, upstream: Recorder
) -> None:
    encoded = f"=?base64?{base64.b64encode('Zürich'.encode()).decode()}?="
    body = request("tools/call", name="add", arguments={"city": "Zürich"})
    assert post(stack, token, body, Mcp_Name="add", Mcp_Param_City=encoded).status_code == 200
    assert upstream.received[-1].header("Mcp-Param-City") == [encoded]


def test_a_result_that_asks_for_input_and_its_retry_pass_as_they_are(
    stack: Stack, token: str, upstream: Recorder
) -> None:
    asks = {"resultType": "input_required", "requestState": "opaque", "inputRequests": {"a": {"method": "x"}}}
    upstream.answer = Answer(body=json.dumps({"jsonrpc": "2.0", "id": 1, "result": asks}).encode())
    first = post(stack, token, request("tools/call", name="add", arguments={}), Mcp_Name="add")
    assert first.json()["result"] == asks
    retry = request(
        "tools/call",
        name="add",
        arguments={},
        requestState="opaque",
        inputResponses={"a": {"action": "accept"}},
    )
    post(stack, token, retry, Mcp_Name="add")
    assert json.loads(upstream.received[-1].body) == retry


def test_each_resource_that_is_listened_to_must_be_allowed(
    stack: Stack, token: str, upstream: Recorder
) -> None:
    upstream.answer = Answer(headers={"Content-Type": "text/event-stream"}, body=NOTIFICATION)
    mine = {"resourceSubscriptions": ["res://mine"], "toolsListChanged": True}
    assert post(stack, token, request("subscriptions/listen", notifications=mine)).status_code == 200
    upstream.received.clear()
    others = {"resourceSubscriptions": ["res://mine", "res://other"]}
    refused = post(stack, token, request("subscriptions/listen", notifications=others))
    assert (refused.status_code, refused.json()["error"]["data"]["rule"]) == (403, "resource")
    assert upstream.received == []


@pytest.mark.parametrize("method", ["tools/list", "resources/read", "server/discover"])
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_what_may_be_cached_is_private_to_the_caller_and_soon_stale(
    stack: Stack, token: str, upstream: Recorder, method: str, kind: str
) -> None:
    result = {"resultType": "complete", "ttlMs": 86_400_000, "cacheScope": "public"}
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})
    body = text if kind == "application/json" else f"event: message\ndata: {text}\n\n"
    upstream.answer = Answer(headers={"Content-Type": kind}, body=body.encode())
    answer = post(stack, token, request(method, **({"uri": "res://mine"} if "read" in method else {})))
    seen = json.loads(answer.text.rpartition("data: ")[2])["result"]
    assert (seen["cacheScope"], seen["ttlMs"]) == ("private", 2000)


def test_a_resource_too_large_to_look_into_passes_all_the_same(
    stack: Stack, token: str, upstream: Recorder
) -> None:
    result = {
        "ttlMs": 0,
        "cacheScope": "public",
        "contents": [{"uri": "res://mine", "text": "a" * 17 * 2**20}],
    }
    upstream.answer = Answer(body=json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())
    assert post(stack, token, request("resources/read", uri="res://mine")).content == upstream.answer.body
