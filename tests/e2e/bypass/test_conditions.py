"""Conditional requests (RFC 9110, 13): a call is none, whatever its headers say."""

import pytest

from tests.e2e.bypass.gate import LEGACY, Gate, call

pytestmark = pytest.mark.e2e
LONG_AGO = "Thu, 01 Jan 1970 00:00:00 GMT"
CONDITIONS = [
    ("If-Match", '"other"'),
    ("If-None-Match", "*"),
    ("If-Unmodified-Since", LONG_AGO),
    ("If-Modified-Since", LONG_AGO),
]


@pytest.mark.parametrize(("name", "value"), CONDITIONS)
def test_a_condition_changes_neither_an_answer_nor_a_refusal(gate: Gate, name: str, value: str) -> None:
    gate.refuses(call("forbidden"), LEGACY, (name, value), rule="tool", status=200)
    gate.passes(call(), LEGACY, (name, value))
