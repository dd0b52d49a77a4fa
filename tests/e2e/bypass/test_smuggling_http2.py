import pytest

from tests.e2e.bypass import http2
from tests.e2e.bypass.gate import JSON, PATH, Gate, call

pytestmark = [pytest.mark.e2e, pytest.mark.parametrize("open_gate", ["http2"], indirect=True)]
CALL = call()
SIZE = len(CALL)
FIELDS = {
    "a_length_too_short": [("content-length", str(SIZE - 1))],
    "a_length_too_long": [("content-length", str(SIZE + 1))],
    "two_lengths": [("content-length", str(SIZE)), ("content-length", "0")],
    "a_line_end_in_a_value": [("x-a", "b\r\nTransfer-Encoding: chunked")],
    "a_line_feed_in_a_value": [("x-a", "b\nTransfer-Encoding: chunked")],
    "a_nul_in_a_value": [("x-a", "b\0c")],
    "a_line_end_in_a_name": [("x-a: b\r\nx-c", "d")],
    "an_upper_case_name": [("X-Upper", "a")],
    "a_colon_in_a_name": [("x:a", "b")],
    "a_space_in_a_name": [("x a", "b")],
    "a_pseudo_header_behind": [(":path", "/mcp/registry")],
    "an_unknown_pseudo_header": [(":other", "x")],
}
HOP_BY_HOP = [("transfer-encoding", "chunked"), ("connection", "close"), ("upgrade", "h2c"), ("te", "x")]


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_an_http2_request_that_is_malformed_is_refused(gate: Gate, fields: list[tuple[str, str]]) -> None:
    sent = [
        JSON,
        ("authorization", f"Bearer {gate.token}"),
        *((f"!{name}", value) for name, value in fields),
    ]
    reply = http2.request(gate.stack.url, "POST", PATH, sent, CALL, length=False)
    assert reply.status in {0, 400}
    assert gate.received == []


def test_a_head_without_a_method_or_a_path_is_refused(gate: Gate) -> None:
    for missing in ("", " "):
        reply = http2.request(gate.stack.url, missing, PATH, [JSON], CALL)
        assert reply.status in {0, 400}
        reply = http2.request(gate.stack.url, "POST", missing, [JSON], CALL)
        assert reply.status in {0, 400}
    assert gate.received == []


@pytest.mark.parametrize("field", HOP_BY_HOP)
def test_headers_of_an_http1_connection_go_no_further(gate: Gate, field: tuple[str, str]) -> None:
    reply = gate.send(CALL, field)
    assert reply.status in {0, 400} or [received.body for received in gate.received] == [CALL]
    assert all(received.header(field[0]) in ([], ["close"]) for received in gate.received)
