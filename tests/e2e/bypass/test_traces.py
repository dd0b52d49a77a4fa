"""Ids of requests, and W3C trace context: goes on where a client began it, begins here otherwise."""

import re
from typing import Any

import pytest

from tests.e2e.bypass.gate import Gate, call
from tests.e2e.bypass.reply import Reply
from tests.e2e.recorder import Answer
from tests.e2e.stack import until

pytestmark = pytest.mark.e2e
CALL = call()
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = {
    "plain": (f"00-{TRACE}-{PARENT}-00", "00"),
    "sampled": (f"00-{TRACE}-{PARENT}-01", "01"),
    "a_version_to_come": (f"cc-{TRACE}-{PARENT}-01-what-comes-then", "01"),
}
INVALID = [
    "",
    "x",
    f"00-{'0' * 32}-{PARENT}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"ff-{TRACE}-{PARENT}-01",
    f"00-{TRACE.upper()}-{PARENT}-01",
    f"00-{TRACE}-{PARENT}-01-more",
    f"00-{TRACE}-{PARENT}-1",
    f"00-{TRACE}x-{PARENT}-01",
    f"cc-{TRACE}-{PARENT}-01x",
]


def line(gate: Gate, reply: Reply) -> dict[str, Any]:
    """The audit line of the request that was answered with this id; NGINX writes it after the answer."""
    (request_id,) = reply.header("X-Request-Id")
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    found: list[dict[str, Any]] = []

    def written() -> bool:
        found[:] = [entry for entry in gate.stack.audit() if entry["request_id"] == request_id]
        return bool(found)

    until(written, what=f"the line of {request_id}")
    (entry,) = found
    return entry


def test_every_answer_carries_the_id_that_the_audit_line_has(gate: Gate) -> None:
    asked = ((CALL, None), (call("forbidden"), None), (CALL, ""), (CALL, "nonsense"), (b"[", None))
    lines = [line(gate, gate.send(body, token=token)) for body, token in asked]
    assert len({entry["request_id"] for entry in lines}) == len(asked)


@pytest.mark.parametrize("path", ["/healthz", "/login", "/api/servers", "/nothing", "/", "/mcp/a/b"])
def test_what_is_no_call_has_an_id_too(gate: Gate, path: str) -> None:
    (request_id,) = gate.send(b"", method="GET", path=path, kind=None).header("X-Request-Id")
    assert re.fullmatch("[0-9a-f]{32}", request_id)


def test_what_nginx_refuses_by_itself_has_the_same_id_in_both_places(gate: Gate) -> None:
    reply = gate.send(b"x" * (4 * 1024 * 1024 + 1))
    assert (reply.status, line(gate, reply)["status"]) == (413, 413)


def test_the_server_is_given_the_id_and_cannot_answer_with_another(gate: Gate) -> None:
    gate.recorder.answer = Answer(headers={"Content-Type": "application/json", "X-Request-Id": "theirs"})
    reply = gate.send(CALL, ("X-Request-Id", "made-up"))
    (received,) = gate.received
    assert reply.header("X-Request-Id") == received.header("X-Request-Id") != ["made-up"]


def test_a_trace_begins_where_the_client_has_none(gate: Gate) -> None:
    reply = gate.passes(CALL)
    (request_id,) = reply.header("X-Request-Id")
    (received,) = gate.received
    assert received.header("traceparent") == [f"00-{request_id}-{request_id[16:]}-01"]
    assert received.header("tracestate") == []
    assert line(gate, reply)["trace_id"] == request_id


@pytest.mark.parametrize(("sent", "flags"), VALID.values(), ids=VALID)
def test_a_clients_trace_goes_on_with_the_gateway_as_parent(gate: Gate, sent: str, flags: str) -> None:
    reply = gate.passes(CALL, ("traceparent", sent), ("tracestate", "vendor=1"))
    (received,) = gate.received
    (request_id,) = reply.header("X-Request-Id")
    assert received.header("traceparent") == [f"00-{TRACE}-{request_id[16:]}-{flags}"]
    assert received.header("tracestate") == ["vendor=1"]
    assert line(gate, reply)["trace_id"] == TRACE


@pytest.mark.parametrize("sent", INVALID)
def test_what_is_no_trace_is_dropped_with_its_state(gate: Gate, sent: str) -> None:
    reply = gate.passes(CALL, ("traceparent", sent), ("tracestate", "vendor=1"))
    (received,) = gate.received
    (request_id,) = reply.header("X-Request-Id")
    assert received.header("traceparent") == [f"00-{request_id}-{request_id[16:]}-01"]
    assert received.header("tracestate") == []


def test_a_refused_call_keeps_its_trace_in_the_log(gate: Gate) -> None:
    reply = gate.refuses(b"[", ("traceparent", f"00-{TRACE}-{PARENT}-01"))
    assert line(gate, reply)["trace_id"] == TRACE
