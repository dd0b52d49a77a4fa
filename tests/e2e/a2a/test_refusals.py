"""What is refused at an agent, by which rule, in the error form of the binding."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.e2e.a2a.agent import running
from tests.e2e.a2a.conftest import Attached, register, scope
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
MESSAGE = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "hello"}]}}
PUSH = {"taskId": "t", "id": "p", "url": "http://169.254.169.254/"}


def by_rpc(attached: Attached, method: str, params: object, token: str | None = None) -> tuple[str, str]:
    """Layer and rule of a refusal by JSON-RPC, which has the request's own id."""
    answer = attached.rpc(method, params, token)
    assert answer["id"] == 7
    return answer["error"]["data"]["layer"], answer["error"]["data"]["rule"]


def by_rest(attached: Attached, method: str, path: str, body: object = None, **more: Any) -> tuple[int, str]:
    """Status and rule of a refusal by HTTP+JSON."""
    answer = attached.send(method, path, body, **more)
    error = answer.json()["error"]
    assert (error["code"], error["details"][0]["reason"]) == (
        answer.status_code,
        error["details"][0]["metadata"]["rule"].upper(),
    )
    return answer.status_code, error["details"][0]["metadata"]["rule"]


@pytest.fixture(scope="module")
def reader(attached: Attached) -> str:
    return scope(attached.stack, "counter-read", "counter", "read")


def unreached(attached: Attached, check: Callable[[], None]) -> None:
    attached.agent.received.clear()
    check()
    assert attached.agent.received == []


def test_who_may_only_read_invokes_nothing(attached: Attached, reader: str) -> None:
    def check() -> None:
        assert by_rpc(attached, "SendMessage", MESSAGE, reader) == ("policy", "invoke")
        assert by_rest(attached, "POST", "/message:send", MESSAGE, token=reader) == (403, "invoke")
        assert by_rest(attached, "GET", "/tasks/t", token=reader) == (403, "invoke")

    unreached(attached, check)
    assert attached.send("GET", "/.well-known/agent-card.json", token=reader).status_code == 200


def test_who_may_only_invoke_reads_no_card(attached: Attached) -> None:
    token = scope(attached.stack, "counter-invoke", "counter", "invoke")
    assert by_rest(attached, "GET", "/.well-known/agent-card.json", token=token) == (403, "read")
    assert by_rest(attached, "GET", "/extendedAgentCard", token=token) == (403, "read")
    assert by_rpc(attached, "GetExtendedAgentCard", {}, token) == ("policy", "read")
    assert "result" in attached.rpc("SendMessage", MESSAGE, token)


def test_without_a_scope_an_agent_looks_like_one_that_is_not_there(attached: Attached) -> None:
    token = attached.stack.token("registry-users")
    missing = Attached(attached.stack, attached.agent, "missing", token)
    assert attached.rpc("SendMessage", MESSAGE, token) == missing.rpc("SendMessage", MESSAGE)
    assert by_rpc(missing, "SendMessage", MESSAGE) == ("policy", "agent")


@pytest.mark.parametrize(
    "method", ["message/send", "sendMessage", "DropTable", "GetAgentCard", "tools/call", "ping"]
)
def test_an_unknown_method_is_refused(attached: Attached, method: str) -> None:
    unreached(attached, lambda: _is(by_rpc(attached, method, MESSAGE), ("policy", "method")))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/message:send"),
        ("DELETE", "/tasks/t"),
        ("PUT", "/tasks/t/pushNotificationConfigs/p"),
        ("POST", "/tasks/t:drop"),
        ("GET", "/tasks/..%2fadmin"),
        ("GET", "/tasks/../admin"),
        ("GET", "/tasks/a/b"),
        ("GET", "//tasks"),
        ("GET", "/"),
        ("GET", "/t/.well-known/agent-card.json"),
    ],
)
def test_a_path_that_the_binding_does_not_have_is_refused(attached: Attached, method: str, path: str) -> None:
    def check() -> None:
        # A client library would tidy the path, so it is written by hand.
        url = httpx2.URL(attached.stack.url)
        raw = httpx2.URL(scheme="http", host=url.host, port=url.port, raw_path=f"/a2a/counter{path}".encode())
        sent = {"Authorization": f"Bearer {attached.token}"}
        answer = httpx2.request(method, raw, headers=sent)
        assert answer.status_code in {400, 403, 404}, answer.text

    unreached(attached, check)


BODIES = [
    b"",
    b"[]",
    b'{"a":1}{"b":2}',
    b'{"message":NaN}',
    b'{"tenant":"","tenant":"other"}',
    b'{"tenant":"","Tenant":"other"}',
    b'{"t\\u0065nant":"other"}',
    b'{"tenant":["other"]}',
    b'{"configuration":"x"}',
    b'\xef\xbb\xbf{"message":{}}',
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_two_readers_may_read_differently_is_refused(attached: Attached, body: bytes) -> None:
    def check() -> None:
        sent = {"Authorization": f"Bearer {attached.token}", "Content-Type": "application/a2a+json"}
        rest = httpx2.post(f"{attached.url}/message:send", content=body, headers=sent)
        assert rest.status_code == 400
        assert rest.json()["error"]["details"][0]["metadata"]["rule"] == "body"
        rpc = b'{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":' + body + b"}"
        sent["Content-Type"] = "application/json"
        answer = httpx2.post(attached.url, content=rpc, headers=sent).json()
        assert answer["error"]["data"]["rule"] == "body"

    unreached(attached, check)


def test_a_url_for_the_agent_to_call_is_refused_unless_its_entry_allows_it(attached: Attached) -> None:
    inline = [
        {**MESSAGE, "configuration": {name: PUSH}}
        for name in ("taskPushNotificationConfig", "task_push_notification_config", "pushNotificationConfig")
    ]

    def check() -> None:
        refused = (403, "push_notifications")
        configs = "/tasks/t/pushNotificationConfigs"
        assert by_rpc(attached, "CreateTaskPushNotificationConfig", PUSH)[1] == refused[1]
        assert by_rest(attached, "POST", configs, PUSH) == refused
        for params in inline:
            assert by_rpc(attached, "SendMessage", params)[1] == refused[1]
            assert by_rest(attached, "POST", "/message:stream", params) == refused

    unreached(attached, check)
    stack = attached.stack
    register(stack, "pushes", attached.agent, push_notifications=True)
    trusted = Attached(stack, attached.agent, "pushes", scope(stack, "pushes", "pushes", "read", "invoke"))
    assert trusted.send("GET", "/.well-known/agent-card.json").json()["capabilities"]["pushNotifications"]
    assert "result" in trusted.rpc("SendMessage", inline[0])


def test_a_request_for_another_tenant_than_the_card_s_is_refused(stack: Stack) -> None:
    with running(tenant="acme") as agent:
        register(stack, "tenants", agent)
        attached = Attached(stack, agent, "tenants", scope(stack, "tenants", "tenants", "*"))
        card = attached.send("GET", "/.well-known/agent-card.json").json()
        assert {one["tenant"] for one in card["supportedInterfaces"]} == {"acme"}
        for answer in (
            attached.rpc("SendMessage", {**MESSAGE, "tenant": "acme"}),
            attached.send("POST", "/acme/message:send", MESSAGE).json(),
        ):
            assert "message" in json.dumps(answer.get("result", answer)), answer

        def check() -> None:
            assert by_rpc(attached, "SendMessage", {**MESSAGE, "tenant": "other"}) == ("policy", "tenant")
            assert by_rest(attached, "POST", "/other/message:send", MESSAGE) == (403, "tenant")
            assert by_rest(attached, "POST", "/acme/message:send", {**MESSAGE, "tenant": "o"})[1] == "tenant"
            assert by_rest(attached, "GET", "/tasks?Tenant=other&tenant=acme") == (403, "tenant")

        unreached(attached, check)


def test_messages_have_the_limits_of_the_entry_and_what_only_looks_has_none(stack: Stack) -> None:
    with running() as agent:
        register(stack, "limited", agent, rate_limit=1)
        attached = Attached(stack, agent, "limited", scope(stack, "limited", "limited", "*"))
        until(lambda: attached.send("POST", "/message:send", MESSAGE).status_code == 429)
        assert by_rest(attached, "POST", "/message:stream", MESSAGE) == (429, "rate_limit")
        assert by_rpc(attached, "SendMessage", MESSAGE) == ("policy", "rate_limit")
        assert int(attached.send("POST", "/message:send", MESSAGE).headers["Retry-After"]) > 0
        assert attached.send("GET", "/tasks").status_code == 200


def test_an_agent_that_takes_too_long_as_a_whole_is_cut_off(stack: Stack) -> None:
    with running() as agent:
        register(stack, "slow", agent, total_timeout_s=1)
        attached = Attached(stack, agent, "slow", scope(stack, "slow", "slow", "*"))
        waits = {"message": {**MESSAGE["message"], "parts": [{"text": "wait"}]}}
        assert by_rpc(attached, "SendMessage", waits) == ("upstream", "total_timeout")
        assert by_rest(attached, "POST", "/message:send", waits) == (504, "total_timeout")


def test_a_page_of_another_origin_may_not_call(attached: Attached) -> None:
    def check() -> None:
        assert by_rest(attached, "POST", "/message:send", MESSAGE, Origin="https://evil.example") == (
            403,
            "origin",
        )

    unreached(attached, check)


def test_an_agent_that_is_away_is_named_as_the_layer(stack: Stack) -> None:
    with running() as agent:
        register(stack, "away", agent)
    attached = Attached(stack, agent, "away", scope(stack, "away", "away", "*"))
    assert by_rpc(attached, "SendMessage", MESSAGE) == ("upstream", "unreachable")
    assert by_rest(attached, "POST", "/message:send", MESSAGE) == (502, "unreachable")
    assert by_rpc(attached, "GetExtendedAgentCard", {}) == ("upstream", "upstream")


def test_a_disabled_agent_is_refused_within_two_seconds_and_its_streams_end(stack: Stack) -> None:
    with running() as agent:
        register(stack, "stops", agent)
        attached = Attached(stack, agent, "stops", scope(stack, "stops", "stops", "*"))
        waits = {"message": {**MESSAGE["message"], "parts": [{"text": "wait"}]}}
        sent = {"Authorization": f"Bearer {attached.token}", "A2A-Version": "1.0"}
        with (
            httpx2.Client(timeout=20) as http,
            http.stream("POST", f"{attached.url}/message:stream", json=waits, headers=sent) as stream,
        ):
            lines = stream.iter_lines()
            assert next(lines)
            stack.api("DELETE", "/api/scopes/agent-stops", expect=204)
            with pytest.raises(httpx2.RemoteProtocolError):
                list(lines)
        until(lambda: by_rpc(attached, "SendMessage", MESSAGE)[1] == "agent", 5)


def _is(found: object, expected: object) -> None:
    assert found == expected
