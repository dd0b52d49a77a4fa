"""Methods that MCP does not have, in general or in the era that a message speaks."""

import json

import pytest

from tests.e2e.bypass.gate import LEGACY, MODERN, Gate, Header, message

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("method", ["tools/execute", "Tools/Call", "tools/call ", "roots/list"])
def test_a_method_that_mcp_does_not_know_reaches_nobody(gate: Gate, era: Header, method: str) -> None:
    reply = gate.refuses(
        message(method, {"name": "allowed"}), era, rule="unknown_method", status=404 if era == MODERN else 200
    )
    assert json.loads(reply.body)["error"]["code"] == -32601


def test_subscriptions_of_the_older_kind_are_unknown_to_the_stateless_protocol(gate: Gate) -> None:
    body = message("resources/subscribe", {"uri": "res://allowed"})
    gate.refuses(body, MODERN, rule="unknown_method", status=404)
    gate.passes(body, LEGACY)
