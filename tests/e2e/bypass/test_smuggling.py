import pytest

from tests.e2e.bypass import http1
from tests.e2e.bypass.gate import PATH, Gate, call

pytestmark = [pytest.mark.e2e, pytest.mark.parametrize("open_gate", ["http1"], indirect=True)]
CALL = call()


def head(gate: Gate, *lines: str, end: str = "\r\n") -> bytes:
    """The head of a call that would be allowed, with these lines in it."""
    usual = [
        f"POST {PATH} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {gate.token}",
        "Content-Type: application/json",
    ]
    return end.join([*usual, *lines, "", ""]).encode("latin-1")


SIZE = len(CALL)
AMBIGUOUS = {
    "two_lengths": [f"Content-Length: {SIZE}", "Content-Length: 0"],
    "two_lengths_the_other_way": ["Content-Length: 0", f"Content-Length: {SIZE}"],
    "the_same_length_twice": [f"Content-Length: {SIZE}", f"Content-Length: {SIZE}"],
    "lengths_in_a_list": [f"Content-Length: {SIZE}, {SIZE}"],
    "length_and_chunked": [f"Content-Length: {SIZE}", "Transfer-Encoding: chunked"],
    "chunked_and_length": ["Transfer-Encoding: chunked", f"Content-Length: {SIZE}"],
    "a_signed_length": [f"Content-Length: +{SIZE}"],
    "a_negative_length": ["Content-Length: -1"],
    "a_hexadecimal_length": [f"Content-Length: {SIZE:#x}"],
    "a_length_with_a_space": ["Content-Length: 1 0"],
    "an_empty_length": ["Content-Length:"],
    "an_endless_length": ["Content-Length: 99999999999999999999"],
    "chunked_twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "chunked_chunked": ["Transfer-Encoding: chunked, chunked"],
    "another_coding": ["Transfer-Encoding: gzip, chunked"],
    "identity": ["Transfer-Encoding: identity"],
    "almost_chunked": ["Transfer-Encoding: xchunked"],
    "chunked_with_a_tab_before": ["Transfer-Encoding: \x0bchunked"],
    "space_before_the_colon": ["Transfer-Encoding : chunked"],
    "space_before_the_colon_of_the_length": [f"Content-Length : {SIZE}"],
    "obs_fold": ["X-Folded: a", f" Content-Length: {SIZE}", "Transfer-Encoding: chunked"],
    "folded_coding": ["Transfer-Encoding:", " chunked", f"Content-Length: {SIZE}"],
    "a_nul_in_a_header": ["X-Nul: a\0b", f"Content-Length: {SIZE}"],
    "a_lone_cr_in_a_name": [f"X-Cr\rContent-Length: {SIZE}"],
    "a_name_without_a_colon": ["Transfer-Encoding", f"Content-Length: {SIZE}"],
    "a_header_without_a_name": [": x", f"Content-Length: {SIZE}"],
}
CHUNKS = {
    "no_number": b"x\r\n",
    "negative": b"-1\r\n",
    "with_prefix": b"0x10\r\n",
    "too_large": b"ffffffffffffffffff\r\n",
    "longer_than_it_says": b"1\r\nabc\r\n0\r\n\r\n",
    "no_line_end": b"1\r\naX0\r\n\r\n",
}
VERSIONS = ["HTTP/0.9", "HTTP/2.0", "HTTP/1,1", "http/1.1", "HTTP/1.1 x"]


@pytest.mark.parametrize("lines", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_an_ambiguous_end_of_a_body_is_refused_with_all_that_follows(gate: Gate, lines: list[str]) -> None:
    hidden = head(gate, f"Content-Length: {SIZE}") + CALL
    for body in (CALL, http1.chunked(CALL), b"0\r\n\r\n"):
        replies = http1.exchange(gate.stack.url, head(gate, *lines) + body + hidden)
        assert [reply.status for reply in replies] in ([400], [411], [413], [501], [])
        assert gate.received == []


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_chunks_that_are_not_well_formed_are_refused(gate: Gate, chunks: bytes) -> None:
    hidden = head(gate, f"Content-Length: {SIZE}") + CALL
    replies = http1.exchange(gate.stack.url, head(gate, "Transfer-Encoding: chunked") + chunks + hidden)
    assert [reply.status for reply in replies] in ([400], [413], [])
    assert gate.received == []


@pytest.mark.parametrize("version", VERSIONS)
def test_another_version_of_the_protocol_is_refused(gate: Gate, version: str) -> None:
    sent = head(gate, f"Content-Length: {SIZE}").replace(b"HTTP/1.1", version.encode(), 1) + CALL
    replies = http1.exchange(gate.stack.url, sent)
    assert [reply.status for reply in replies] in ([400], [505], [])
    assert gate.received == []


def test_bare_line_feeds_smuggle_nothing(gate: Gate) -> None:
    sent = head(gate, "X-A: b\nX-C: d", f"Content-Length: {SIZE}", "Connection: close", end="\n") + CALL
    http1.exchange(gate.stack.url, sent)
    assert [received.body for received in gate.received] in ([], [CALL])


def test_two_calls_on_one_connection_arrive_as_two(gate: Gate) -> None:
    one = head(gate, f"Content-Length: {SIZE}") + CALL
    last = head(gate, "Transfer-Encoding: chunked", "Connection: close") + http1.chunked(CALL, 7)
    replies = http1.exchange(gate.stack.url, one + last)
    assert [reply.passed for reply in replies] == [True, True]
    assert [received.body for received in gate.received] == [CALL, CALL]
    assert all(received.header("Transfer-Encoding") == [] for received in gate.received)


def test_an_upgrade_leads_nowhere(gate: Gate) -> None:
    upgrade = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ]
    gate.send(CALL, *upgrade)
    assert all(received.header("Upgrade") == [] for received in gate.received)
    assert len(gate.received) <= 1
