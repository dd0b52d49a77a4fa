import gzip
import zlib

import pytest

from tests.e2e.bypass.gate import Gate, call

pytestmark = pytest.mark.e2e
CALL = call()
BYTES = {
    "overlong_slash": b"\xc0\xaf",
    "overlong_nul": b"\xc0\x80",
    "overlong_of_three": b"\xe0\x80\xaf",
    "encoded_surrogate": b"\xed\xa0\x80",
    "encoded_pair_of_surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond_unicode": b"\xf4\x90\x80\x80",
    "five_bytes": b"\xf8\x88\x80\x80\x80",
    "continuation_alone": b"\x80",
    "cut_short": b"\xe2\x82",
    "latin_1": b"caf\xe9",
    "ff": b"\xff",
    "fe": b"\xfe",
}
SURROGATES = {
    "high_alone": b"\\ud83d",
    "low_alone": b"\\ude00",
    "high_then_text": b"\\ud83dx",
    "high_twice": b"\\ud83d\\ud83d",
    "low_then_high": b"\\ude00\\ud83d",
    "high_then_other_escape": b"\\ud83d\\u0041",
    "upper_case": b"\\uD83D",
    "high_then_new_line": b"\\ud83d\\n",
}
PLACES = {
    "arguments": b'"method":"tools/call","params":{"name":"allowed","arguments":{"x":"%b"}},"id":1',
    "nested": b'"method":"tools/call","params":{"name":"allowed","arguments":{"x":["%b"]}},"id":1',
    "key": b'"method":"tools/call","params":{"name":"allowed","arguments":{"%b":1}},"id":1',
    "name": b'"method":"tools/call","params":{"name":"allowed%b"},"id":1',
    "method": b'"method":"tools/call%b","params":{"name":"allowed"},"id":1',
    "id": b'"method":"tools/call","params":{"name":"allowed"},"id":"%b"',
    "envelope_key": b'"method":"tools/call","params":{"name":"allowed"},"id":1,"%b":1',
}


def placed(place: str, text: bytes) -> bytes:
    """An allowed call with that text in a string of it."""
    return b'{"jsonrpc":"2.0",%b}' % (PLACES[place] % text)


TRANSFORMED = {
    "bom": b"\xef\xbb\xbf" + CALL,
    "utf_16": CALL.decode().encode("utf-16"),
    "utf_16_le": CALL.decode().encode("utf-16-le"),
    "utf_16_be": CALL.decode().encode("utf-16-be"),
    "utf_32": CALL.decode().encode("utf-32"),
    "utf_7": b"+AHs-" + CALL[1:],
    "ebcdic": CALL.decode().encode("cp037"),
    "gzip": gzip.compress(CALL),
    "zlib": zlib.compress(CALL),
}
KINDS = [
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json; charset=latin1",
    "application/json; charset=utf-7",
    "application/json; charset=utf-8; charset=utf-16",
    "application/json, text/plain",
    "application/json-seq",
    "",
]


@pytest.mark.parametrize("body", TRANSFORMED.values(), ids=TRANSFORMED)
def test_a_body_that_is_not_plain_utf_8_is_refused(gate: Gate, body: bytes) -> None:
    gate.refuses(body)


@pytest.mark.parametrize("wrong", [*BYTES.values(), *SURROGATES.values()], ids=[*BYTES, *SURROGATES])
@pytest.mark.parametrize("place", PLACES)
def test_text_that_is_no_unicode_is_refused_wherever_it_stands(gate: Gate, place: str, wrong: bytes) -> None:
    gate.refuses(placed(place, wrong))


@pytest.mark.parametrize("place", ["arguments", "nested", "key", "id"])
def test_text_of_any_script_passes_byte_for_byte(gate: Gate, place: str) -> None:
    text = "caf\u00e9 \u6f22\u5b57 \U0001f600 \u0000\u007f".replace("\0", "\\u0000").encode()
    gate.passes(placed(place, text + b"\\ud83d\\ude00"))


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, identity", "GZIP"])
def test_a_body_that_says_it_is_encoded_is_refused(gate: Gate, encoding: str) -> None:
    gate.refuses(CALL, ("Content-Encoding", encoding), status=415)
    gate.refuses(gzip.compress(CALL), ("Content-Encoding", encoding), status=415)


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_another_kind_is_refused(gate: Gate, kind: str) -> None:
    gate.refuses(CALL, kind=("Content-Type", kind), status=415)


def test_a_body_without_a_kind_is_refused(gate: Gate) -> None:
    gate.refuses(CALL, kind=None, status=415)


def test_two_kinds_of_body_are_refused(gate: Gate) -> None:
    reply = gate.send(CALL, ("Content-Type", "text/plain"))
    assert reply.status in {400, 415}
    assert gate.received == []


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", 'application/json;charset="UTF-8"']
)
def test_json_in_utf_8_by_any_of_its_names_passes(gate: Gate, kind: str) -> None:
    gate.passes(CALL, kind=("Content-Type", kind))
