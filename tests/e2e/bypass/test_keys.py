import json

import pytest

from tests.e2e.bypass.gate import Gate, Header, call

pytestmark = pytest.mark.e2e
KELVIN, LONG_S = "\u212a", "\u017f"


def envelope(member: str, value: str = '"x"') -> bytes:
    """An allowed call with one more member, written as it is given."""
    parts = (
        f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"allowed"}},"{member}":{value}}}'
    )
    return parts.encode()


def params(method: str, text: str) -> bytes:
    """A request whose params are written as they are given."""
    return f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{text}}}}}'.encode()


ENVELOPE_KEYS = [
    "Method",
    "METHOD",
    "methoD",
    "Params",
    "PARAMS",
    f"param{LONG_S}",
    "param\\u017f",
    "ID",
    "Id",
    "JSONRPC",
    "m\\u0065thod",
    "\\u006dethod",
    "p\\u0061rams",
    "\\u0069d",
    "method ",
    " method",
    "method\\u0000",
    "method\\n",
    "m\u00e9thod",
    "\uff4dethod",
    "",
    "params\u200b",
    f"{LONG_S}",
]
PARAMS_KEYS = {
    "tools/call": [
        "Name",
        "NAME",
        "namE",
        "n\\u0061me",
        "\\u006eame",
        "\\u004eame",
        "name\\u0000",
        "\uff4eame",
        "name\u200b",
        "Arguments",
        f"argument{LONG_S}",
        "argument\\u017f",
        "_Meta",
        "_META",
    ],
    "prompts/get": ["Name", "NAME", "n\\u0061me", "naM\\u0065"],
    "resources/read": ["Uri", "URI", "uRi", "u\\u0072i", "ur\\u0131", "ur\u0131", "\u0075r\u0130"],
    "resources/subscribe": ["Uri", "URI", "u\\u0072i"],
    "completion/complete": ["Ref", "REF", "r\\u0065f", "\\u0072ef"],
    "tasks/get": [
        "taskid",
        "TaskId",
        "TASKID",
        "taskID",
        f"ta{LONG_S}kId",
        "ta\\u017fkId",
        f"tas{KELVIN}Id",
        "tas\\u212aId",
        f"ta{LONG_S}{KELVIN}Id",
        "task\\u0049d",
    ],
    "subscriptions/listen": [
        "Notifications",
        "NOTIFICATIONS",
        f"notification{LONG_S}",
        "notific\\u0061tions",
    ],
}
RIGHT = {
    "tools/call": '"name":"allowed"',
    "prompts/get": '"name":"allowed"',
    "resources/read": '"uri":"res://allowed"',
    "resources/subscribe": '"uri":"res://allowed"',
    "completion/complete": '"ref":{"type":"ref/prompt","name":"allowed"}',
    "tasks/get": '"taskId":"t"',
    "subscriptions/listen": '"notifications":{"resourceSubscriptions":["res://allowed"]}',
}
NAMED = [(method, key) for method, keys in PARAMS_KEYS.items() for key in keys]
TWICE = {
    "name": params("tools/call", '"name":"allowed","name":"forbidden"'),
    "name_the_other_way": params("tools/call", '"name":"forbidden","name":"allowed"'),
    "name_with_the_same_value": params("tools/call", '"name":"allowed","name":"allowed"'),
    "name_far_apart": params(
        "tools/call", '"name":"allowed","arguments":{"a":[1]},"_meta":{},"name":"forbidden"'
    ),
    "uri": params("resources/read", '"uri":"res://allowed","uri":"res://forbidden"'),
    "taskId": params("tasks/get", '"taskId":"a","taskId":"b"'),
    "ref": params("completion/complete", '"ref":{"name":"allowed"},"ref":{"name":"forbidden"}'),
    "name_in_ref": params(
        "completion/complete", '"ref":{"type":"ref/prompt","name":"allowed","name":"forbidden"}'
    ),
    "arguments": params("tools/call", '"name":"allowed","arguments":{},"arguments":{"x":1}'),
    "meta": params("tools/call", '"name":"allowed","_meta":{},"_meta":{"x":1}'),
    "unknown_key": params("tools/call", '"name":"allowed","x":1,"X":2'),
}
REFERENCES = ["Name", "NAME", "n\\u0061me", "Uri", "URI", "u\\u0072i", "Type", "t\\u0079pe"]


@pytest.mark.parametrize("key", ENVELOPE_KEYS, ids=ascii)
def test_another_spelling_of_an_envelope_key_is_refused(gate: Gate, key: str) -> None:
    gate.refuses(envelope(key, '{"name":"forbidden"}'))


@pytest.mark.parametrize(("method", "key"), NAMED, ids=ascii)
def test_another_spelling_of_a_key_in_params_is_refused(gate: Gate, method: str, key: str) -> None:
    beside = '["forbidden"]' if key.lower().startswith(("arg", "_", "not", "r\\", "ref")) else '"forbidden"'
    gate.refuses(params(method, f'{RIGHT[method]},"{key}":{beside}'))
    gate.refuses(params(method, f'"{key}":{beside},{RIGHT[method]}'))
    gate.refuses(params(method, f'"{key}":{beside}'))


@pytest.mark.parametrize("key", REFERENCES)
def test_another_spelling_of_a_key_in_ref_is_refused(gate: Gate, key: str) -> None:
    gate.refuses(params("completion/complete", f'"ref":{{"type":"ref/prompt","name":"allowed","{key}":"x"}}'))


@pytest.mark.parametrize("body", TWICE.values(), ids=TWICE)
def test_a_key_that_comes_twice_is_refused(gate: Gate, era: Header, body: bytes) -> None:
    gate.refuses(body, era)


def test_a_reference_to_both_a_prompt_and_a_resource_is_refused(gate: Gate) -> None:
    both = '"ref":{"type":"ref/prompt","name":"allowed","uri":"res://forbidden"},"argument":{}'
    gate.refuses(params("completion/complete", both), rule="params", status=200)


def test_an_escaped_name_is_judged_as_what_it_says(gate: Gate) -> None:
    gate.passes(call("allowed").replace(b'"allowed"', b'"\\u0061llow\\u0065d"'))
    gate.received.clear()
    for escaped in (b'"\\u0066orbidden"', b'"forb\\u0069dden"'):
        body = call("forbidden").replace(b'"forbidden"', escaped)
        assert json.loads(body)["params"]["name"] == "forbidden"
        gate.refuses(body, rule="tool", status=200)


@pytest.mark.parametrize(
    "name", ["Allowed", "allowed ", "allowed\0", "allow", "allowed\u200b", "*", "", "\u0430llowed"]
)
def test_a_name_that_only_resembles_an_allowed_one_is_refused(gate: Gate, name: str) -> None:
    gate.refuses(call(name), rule="tool", status=200)
