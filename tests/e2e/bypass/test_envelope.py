import pytest

from tests.e2e.bypass.gate import Gate, Header, call, message

pytestmark = pytest.mark.e2e
CALL = call()

NOT_ONE_OBJECT = {
    "batch_of_one": b"[" + CALL + b"]",
    "batch_of_two": b"[" + CALL + b"," + call("forbidden") + b"]",
    "empty_batch": b"[]",
    "string": b'"tools/call"',
    "number": b"7",
    "null": b"null",
    "true": b"true",
    "nothing": b"",
    "white_space": b" \r\n\t ",
    "two_messages": CALL + CALL,
    "two_lines": CALL + b"\n" + call("forbidden"),
    "trailing_text": CALL + b" x",
    "trailing_bracket": CALL + b"}",
    "trailing_nul": CALL + b"\0",
    "leading_nul": b"\0" + CALL,
    "leading_form_feed": b"\f" + CALL,
    "unfinished": CALL[:-1],
    "xssi_prefix": b")]}'\n" + CALL,
}

NOT_JSON = {
    "nan": b"NaN",
    "infinity": b"Infinity",
    "minus_infinity": b"-Infinity",
    "leading_zero": b"01",
    "plus_sign": b"+1",
    "hexadecimal": b"0x10",
    "bare_fraction": b".5",
    "bare_point": b"1.",
    "bare_exponent": b"1e",
    "undefined": b"undefined",
    "python_literal": b"True",
    "single_quotes": b"'x'",
    "unquoted_key": b"{x:1}",
    "trailing_comma_in_object": b'{"x":1,}',
    "trailing_comma_in_array": b"[1,]",
    "comment": b"1/**/",
    "line_comment": b"1//\n",
    "raw_newline_in_string": b'"a\nb"',
    "raw_nul_in_string": b'"a\0b"',
    "raw_escape_byte": b'"\x1b"',
    "unknown_escape": b'"\\x41"',
    "short_unicode_escape": b'"\\u41"',
    "nul_between_tokens": b"\x001",
    "no_value": b"",
}

ENVELOPES = {
    "unknown_member": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","extra":1,"params":{"name":"allowed"}}',
    "two_methods": b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{}}',
    "two_params": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed"},'
    b'"params":{"name":"forbidden"}}',
    "two_ids": b'{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"allowed"}}',
    "two_versions": b'{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}',
    "no_version": b'{"id":1,"method":"tools/call","params":{"name":"allowed"}}',
    "old_version": b'{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"allowed"}}',
    "version_is_a_number": b'{"jsonrpc":2.0,"id":1,"method":"tools/call","params":{"name":"allowed"}}',
    "escaped_version": b'{"jsonrpc":"2\\u002e0","id":1,"method":"ping"}',
    "no_method": b'{"jsonrpc":"2.0","id":1,"params":{"name":"allowed"}}',
    "method_is_a_number": b'{"jsonrpc":"2.0","id":1,"method":7}',
    "method_is_null": b'{"jsonrpc":"2.0","id":1,"method":null}',
    "method_and_result": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","result":{},"params":{}}',
    "method_and_error": b'{"jsonrpc":"2.0","id":1,"method":"ping","error":{"code":1,"message":"x"}}',
    "result_and_error": b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
    "result_without_id": b'{"jsonrpc":"2.0","result":{}}',
    "params_is_an_array": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["allowed"]}',
    "params_is_a_string": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"allowed"}',
    "params_is_null": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}',
    "id_is_an_object": b'{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":"allowed"}}',
    "id_is_null": b'{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"allowed"}}',
    "id_is_true": b'{"jsonrpc":"2.0","id":true,"method":"tools/call","params":{"name":"allowed"}}',
    "name_is_a_number": message("tools/call", {"name": 7}),
    "name_is_an_array": message("tools/call", {"name": ["allowed"]}),
    "name_is_null": message("tools/call", {"name": None}),
}


@pytest.mark.parametrize("body", NOT_ONE_OBJECT.values(), ids=NOT_ONE_OBJECT)
def test_a_body_that_is_not_one_object_is_refused(gate: Gate, era: Header, body: bytes) -> None:
    gate.refuses(body, era)


@pytest.mark.parametrize("value", NOT_JSON.values(), ids=NOT_JSON)
@pytest.mark.parametrize("place", ["arguments", "_meta", "other"])
def test_what_is_not_strict_json_is_refused_wherever_it_stands(gate: Gate, place: str, value: bytes) -> None:
    head = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed","%b":' % place.encode()
    gate.refuses(head + b'{"x":' + value + b"}}}")
    gate.refuses(head + value + b"}}")


@pytest.mark.parametrize("body", ENVELOPES.values(), ids=ENVELOPES)
def test_an_envelope_that_parsers_read_differently_is_refused(gate: Gate, era: Header, body: bytes) -> None:
    gate.refuses(body, era)


def test_a_request_without_an_id_runs_nothing(gate: Gate) -> None:
    gate.refuses(b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"allowed"}}', rule="params")


def test_a_plain_call_passes_byte_for_byte(gate: Gate, era: Header) -> None:
    gate.passes(
        b' {"params" : {"arguments":{"x":1.0,"x":2},"name":"allowed"},\r\n\t"method":"tools/call",'
        b'"id":"\\u0037", "jsonrpc":"2.0"} ',
        era,
    )


def test_a_posted_response_is_a_legal_message(gate: Gate) -> None:
    reply = gate.send(b'{"jsonrpc":"2.0","id":1,"result":{}}')
    assert reply.status == 200
    assert [received.body for received in gate.received] == [b'{"jsonrpc":"2.0","id":1,"result":{}}']
