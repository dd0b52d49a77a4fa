"""Generated envelopes: whatever passes, every kind of parser reads as what the gateway judged."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp.types import JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter
from pydantic import ValidationError

from tests.e2e.bypass.gate import Gate

pytestmark = pytest.mark.e2e
FOLDS = str.maketrans({"\u017f": "s", "\u212a": "k"})
NAMES = ["allowed", "forbidden", "Allowed", "\u0430llowed", "allowed\u0000", "", "*"]
METHODS = ["tools/call", "tools/list", "prompts/get", "resources/read", "ping", "Tools/Call", "unknown"]
KEYS = [
    "name",
    "name",
    "Name",
    "NAME",
    "uri",
    "URI",
    "taskId",
    "ref",
    "arguments",
    "_meta",
    "n\u0430me",
    "\u017f",
]
ENVELOPE = ["jsonrpc", "id", "method", "params", "Method", "param\u017f", "result", "error", "x"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
SPACE = st.sampled_from(["", "", " ", "\n", "\t\r\n"])
FAULTS = st.sampled_from([*[""] * 20, "\f", "\ufeff", "/**/", ",", "\0", "x"])


@st.composite
def text_of(draw: st.DrawFn, value: object) -> str:
    """JSON for a value, with escapes where none are needed."""
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    letters = [letter for letter in ("a", "e", "m", "l", "o") if letter in text]
    if isinstance(value, str) and letters and draw(st.integers(0, 20)) == 0:
        letter = draw(st.sampled_from(letters))
        return text.replace(letter, f"\\u{ord(letter):04x}", 1)
    return text


@st.composite
def objects(draw: st.DrawFn, members: list[tuple[str, str]]) -> str:
    """An object of these members, in any order, with space anywhere."""
    pairs = draw(st.permutations(members))
    written = [f"{draw(SPACE)}{draw(text_of(key))}{draw(SPACE)}:{value}" for key, value in pairs]
    return "{" + ",".join(written) + draw(SPACE) + "}"


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A body that is mostly right: each part is now and then another one."""
    named = draw(
        st.lists(
            st.tuples(st.sampled_from(KEYS), st.sampled_from(NAMES) | st.sampled_from(NAMES) | JSON),
            max_size=2,
        )
    )
    name = draw(st.sampled_from([*["allowed"] * 10, *NAMES]))
    params = [("name", draw(text_of(name))), *((key, json.dumps(value)) for key, value in named)]
    method = draw(st.sampled_from([*["tools/call"] * 10, *METHODS]))
    request_id = draw(st.integers() | st.text(max_size=3) | st.floats(allow_nan=False, allow_infinity=False))
    members = [
        ("jsonrpc", '"2.0"'),
        ("id", json.dumps(request_id)),
        ("method", draw(text_of(method))),
        ("params", draw(objects(params))),
    ]
    if draw(st.integers(0, 9)) == 0:
        members.append((draw(st.sampled_from(ENVELOPE)), draw(JSON.map(json.dumps))))
    whole = draw(SPACE) + draw(objects(members)) + draw(SPACE) + draw(FAULTS)
    return whole.encode("utf-8", "surrogatepass")


def folded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as Go's encoding/json reads it: keys fold, the last counts."""
    return {key.translate(FOLDS).lower(): value for key, value in pairs}


def first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as a parser reads it that keeps the first of two keys."""
    return dict(reversed(pairs))


def reached(method: str, params: dict[str, Any] | None) -> bool:
    """Whether the caller's scope reaches what a parser made of the body."""
    named = {"tools/call": ("name", "allowed"), "prompts/get": ("name", "allowed")}
    member, name = named.get(method, ("uri", "res://allowed"))
    return method not in {*named, "resources/read"} or (params or {}).get(member) == name


@given(body=bodies())
@settings(
    max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
def test_what_passes_is_read_alike_by_every_parser(gate: Gate, body: bytes) -> None:
    gate.received.clear()
    reply = gate.send(body)
    if not gate.received:
        assert reply.rule
        return
    assert [received.body for received in gate.received] == [body]
    seen = [json.loads(body, object_pairs_hook=hook) for hook in (dict, folded, first)]
    assert len({envelope["method"] for envelope in seen}) == 1
    assert all(reached(envelope["method"], envelope.get("params")) for envelope in seen)
    try:
        message = jsonrpc_message_adapter.validate_json(body)
    except ValidationError:
        return
    assert isinstance(message, JSONRPCRequest | JSONRPCNotification)
    assert message.method == seen[0]["method"]
    assert reached(message.method, message.params)


@given(
    name=st.sampled_from(NAMES),
    arguments=st.dictionaries(st.text(), JSON),
    request_id=st.integers() | st.text(),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
def test_what_the_sdk_sends_is_judged_by_its_name_alone(
    gate: Gate, name: str, arguments: dict[str, Any], request_id: int | str
) -> None:
    gate.received.clear()
    call = JSONRPCRequest(
        jsonrpc="2.0", id=request_id, method="tools/call", params={"name": name, "arguments": arguments}
    )
    body = call.model_dump_json(by_alias=True, exclude_unset=True).encode()
    if name == "allowed":
        gate.passes(body)
    else:
        gate.refuses(body, rule="tool", status=200)
