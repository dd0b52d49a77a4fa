import base64

import pytest

from tests.e2e.bypass.gate import LEGACY, MODERN, Gate, Header, call, message

pytestmark = pytest.mark.e2e
CALL = call()
METHOD, NAME = ("Mcp-Method", "tools/call"), ("Mcp-Name", "allowed")


def sentinel(name: str) -> str:
    return f"=?base64?{base64.b64encode(name.encode()).decode()}?="


LIES = {
    "another_tool": [METHOD, ("Mcp-Name", "forbidden")],
    "another_tool_encoded": [METHOD, ("Mcp-Name", sentinel("forbidden"))],
    "another_method": [("Mcp-Method", "tools/list"), NAME],
    "another_method_alone": [("Mcp-Method", "ping")],
    "a_method_in_other_case": [("Mcp-Method", "Tools/Call"), NAME],
    "a_name_in_other_case": [METHOD, ("Mcp-Name", "Allowed")],
    "a_name_that_is_longer": [METHOD, ("Mcp-Name", "allowed,forbidden")],
    "no_base64": [METHOD, ("Mcp-Name", "=?base64?!!!?=")],
    "another_sentinel": [METHOD, ("Mcp-Name", "=?BASE64?" + base64.b64encode(b"allowed").decode() + "?=")],
    "a_name_twice": [METHOD, NAME, NAME],
    "two_names": [METHOD, NAME, ("Mcp-Name", "forbidden")],
    "two_methods": [METHOD, ("Mcp-Method", "tools/list"), NAME],
    "an_empty_name": [METHOD, ("Mcp-Name", "")],
    "an_empty_method": [("Mcp-Method", ""), NAME],
}


@pytest.mark.parametrize("headers", LIES.values(), ids=LIES)
def test_headers_that_say_something_else_than_the_body_are_refused(
    gate: Gate, era: Header, headers: list[Header]
) -> None:
    reply = gate.refuses(CALL, era, *headers, rule="header")
    assert reply.error["code"] == -32020


def test_a_forbidden_tool_is_refused_whatever_the_headers_say(gate: Gate) -> None:
    for era, status in ((LEGACY, 200), (MODERN, 403)):
        gate.refuses(call("forbidden"), era, rule="tool", status=status)
        gate.refuses(call("forbidden"), era, METHOD, ("Mcp-Name", "forbidden"), rule="tool", status=status)
        gate.refuses(call("forbidden"), era, METHOD, NAME, rule="header")


@pytest.mark.parametrize(
    ("method", "params", "name"),
    [
        ("resources/read", {"uri": "res://allowed"}, "res://forbidden"),
        ("prompts/get", {"name": "allowed"}, "forbidden"),
        ("tasks/get", {"taskId": "mine"}, "theirs"),
        ("tasks/cancel", {"taskId": "mine", "name": "theirs"}, "theirs"),
        ("ping", {"name": "allowed"}, "allowed"),
    ],
)
def test_the_name_in_the_header_is_that_of_the_method(
    gate: Gate, method: str, params: dict[str, str], name: str
) -> None:
    gate.refuses(message(method, params), MODERN, ("Mcp-Method", method), ("Mcp-Name", name), rule="header")


@pytest.mark.parametrize("name", ["allowed", sentinel("allowed")])
def test_headers_that_agree_with_the_body_pass(gate: Gate, era: Header, name: str) -> None:
    gate.passes(CALL, era, METHOD, ("Mcp-Name", name))


def test_two_versions_are_refused(gate: Gate) -> None:
    gate.refuses(CALL, LEGACY, MODERN, rule="header")


@pytest.mark.parametrize("header", [("Mcp-Name", "forbidden"), ("Content-Encoding", "gzip")])
def test_a_header_behind_a_hundred_others_counts_as_well(gate: Gate, header: Header) -> None:
    filler = [(f"X-Filler-{number}", "x") for number in range(150)]
    gate.refuses(CALL, *filler, header, rule="header", status=431)
