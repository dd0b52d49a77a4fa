"""What Prometheus gets to read about the calls."""

import json

import httpx2
import pytest

from tests.e2e.bypass.gate import JSON, LEGACY, call
from tests.e2e.calling import call as outcome
from tests.e2e.calling import ticking
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.scraping import counted, metrics, value
from tests.e2e.servers import serving, tools_server
from tests.e2e.stack import Stack, free_port

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def token(stack: Stack, recorder: Recorder) -> str:
    stack.register("counted", recorder.url)
    stack.scope("counted", "counted", tools=["echo", "other"])
    return stack.token("counted")


def test_calls_are_counted_by_what_was_decided(stack: Stack, upstream: Recorder, token: str) -> None:
    del upstream
    for _ in range(3):
        assert outcome(stack, "counted", token) == "ran"
    assert outcome(stack, "counted", token, "forbidden") == "tool"
    of_calls = {"server": "counted", "method": "tools/call"}
    counted(stack, 3, "gatepost_calls_total", **of_calls, tool="echo", decision="allow", rule="")
    counted(stack, 1, "gatepost_calls_total", **of_calls, tool="other", decision="deny", rule="tool")
    counted(stack, 3, "gatepost_call_duration_seconds_count", server="counted")
    counted(stack, 3, "gatepost_upstream_duration_seconds_bucket", server="counted", le="+Inf")
    took = value(stack, "gatepost_call_duration_seconds_sum", server="counted")
    assert value(stack, "gatepost_upstream_duration_seconds_sum", server="counted") <= took < 60


def test_refused_callers_make_no_labels(stack: Stack, upstream: Recorder, token: str) -> None:
    del upstream
    before = value(stack, "gatepost_calls_total", server="", rule="server")
    for number in range(20):
        outcome(stack, f"made-up-{number}", token)
        outcome(stack, "counted", token, f"made-up-{number}")
        outcome(stack, "counted", f"made-up-{number}")
        body = {"jsonrpc": "2.0", "id": 1, "method": f"made-up/{number}"}
        httpx2.post(f"{stack.url}/mcp/counted", json=body, headers={"Authorization": f"Bearer {token}"})
        httpx2.get(f"{stack.url}/mcp/made-up-{number}/x")
        httpx2.post(
            f"{stack.url}/mcp/made-up-{number}", content=b"[", headers={"Authorization": f"Bearer {token}"}
        )
    counted(stack, 20, "gatepost_calls_total", server="counted", method="other", rule="unknown_method")
    counted(stack, before + 20, "gatepost_calls_total", server="", rule="server")
    assert "made-up" not in metrics(stack)


def test_tools_beyond_the_first_hundred_of_a_server_share_a_label(stack: Stack, upstream: Recorder) -> None:
    stack.register("wide", upstream.url)
    stack.scope("wide", "wide")
    token = stack.token("wide")
    names = ['with "quotes"\\', *(f"tool-{number}" for number in range(119))]
    for name in names:
        assert outcome(stack, "wide", token, name) == "ran"
    counted(stack, 120, "gatepost_calls_total", server="wide")
    counted(stack, 1, "gatepost_calls_total", server="wide", tool=names[0])
    assert value(stack, "gatepost_calls_total", server="wide", tool="other") == 20


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401), "credential"),
        (Answer(302), "redirect"),
        (Answer(200, {"Content-Type": "text/html"}), "kind"),
        (Answer(500, {"Content-Type": "application/json"}), "status"),
    ],
    ids=["credential", "redirect", "kind", "status"],
)
def test_failures_of_a_server_are_counted_by_kind(
    stack: Stack, upstream: Recorder, token: str, answer: Answer, kind: str
) -> None:
    upstream.answer = answer
    headers = {"Authorization": f"Bearer {token}", **dict([JSON, LEGACY])}
    httpx2.post(f"{stack.url}/mcp/counted", content=call("echo"), headers=headers)
    counted(stack, 1, "gatepost_upstream_errors_total", server="counted", kind=kind)


def test_a_server_that_is_away_is_counted_as_unreachable(stack: Stack) -> None:
    stack.register("unreachable", f"http://127.0.0.1:{free_port()}/mcp")
    stack.scope("unreachable", "unreachable")
    assert outcome(stack, "unreachable", stack.token("unreachable")) == "unreachable"
    counted(stack, 1, "gatepost_upstream_errors_total", server="unreachable", kind="unreachable")
    counted(stack, 1, "gatepost_calls_total", server="unreachable", decision="allow", rule="")


def test_open_streams_are_those_whose_clients_are_there(stack: Stack) -> None:
    with serving(tools_server().streamable_http_app()) as origin:
        stack.register("flows", f"{origin}/mcp")
        stack.scope("flows", "flows")
        before = value(stack, "gatepost_open_streams")
        with httpx2.stream(**ticking(stack, "flows", stack.token("flows"), 400)) as answer:
            lines = answer.iter_lines()
            assert next(lines)
            counted(stack, before + 1, "gatepost_open_streams")
        counted(stack, before, "gatepost_open_streams")


def test_memory_and_workers_are_shown(stack: Stack) -> None:
    assert value(stack, "gatepost_worker_starts_total") >= 1
    free = value(stack, "gatepost_shared_memory_free_bytes", dict="gatepost_callers")
    assert 0 < free <= value(stack, "gatepost_shared_memory_bytes", dict="gatepost_callers")


def test_their_address_is_shown_and_is_none_of_the_users_own(stack: Stack) -> None:
    shown = json.loads(stack.command("status", "--json").stdout)["metrics"]
    assert "gatepost_calls_total" in httpx2.get(shown).text
    assert httpx2.get(f"{stack.url}/metrics").status_code == 404
