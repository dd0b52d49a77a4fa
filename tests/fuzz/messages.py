"""Bodies to try: right ones, right ones that were bent, and plain bytes."""

import json

from hypothesis import strategies as st

from tests.e2e.bypass.gate import call, message
from tests.e2e.bypass.test_generated import bodies as envelopes

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
}
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "1"}}
SEEDS = [
    call(),
    call("forbidden"),
    call("allowed", _meta=META),
    call("forbidden", _meta={**META, "progressToken": 1}),
    call("allowed", inputResponses={"x": {"action": "accept"}}, requestState="s"),
    message("prompts/get", {"name": "allowed"}),
    message("prompts/get", {"name": "forbidden"}),
    message("resources/read", {"uri": "res://allowed"}),
    message("resources/read", {"uri": "res://forbidden"}),
    message("resources/subscribe", {"uri": "res://forbidden"}),
    message("completion/complete", {"ref": {"type": "ref/prompt", "name": "forbidden"}, "argument": {}}),
    message("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["res://forbidden"]}}),
    message("tasks/get", {"taskId": "1"}),
    message("tools/list", {"cursor": "x"}),
    message("initialize", HELLO),
    message("server/discover", {"_meta": META}),
    message("ping", {}),
    b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
    b'{"jsonrpc":"2.0","id":7,"result":{}}',
    b'{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"m"}}',
    b"[" + call() + b"," + call("forbidden") + b"]",
]
PIECES = [
    b'"name":"forbidden",',
    b',"name":"forbidden"',
    b'"NAME":"forbidden",',
    b'"na\\u006de":"forbidden",',
    b'"n\\u0061me"',
    b'"method":"tools/call",',
    b'"Method":"tools/call",',
    b'"params":{"name":"forbidden"},',
    b'"param\xc5\xbf":{"name":"forbidden"},',
    b'"uri":"res://forbidden",',
    b'"result":{},',
    b"forbidden",
    b"\\u0000",
    b"\\ud800",
    b'\\"',
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xff",
    b"//",
    b"/*x*/",
    b"NaN",
    b"1e999",
    b"-0",
    b"0x1",
    b"9007199254740993",
    b"[" * 600,
    b'{"a":' * 300,
    b"null",
    b"x" * 70_000,
]


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """A right body after a few cuts, insertions, repetitions and overwritten bytes."""
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        start = draw(st.integers(0, len(body)))
        stop = draw(st.integers(start, min(len(body), start + 30)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            body = body[:start] + body[stop:]
        elif kind == 1:
            body = body[:start] + draw(st.sampled_from(PIECES)) + body[start:]
        elif kind == 2:
            body = body[:start] + draw(st.sampled_from(PIECES)) + body[stop:]
        elif kind == 3:
            body = body[:stop] + body[start:]
        else:
            body = body[:start] + draw(st.binary(min_size=1, max_size=3)) + body[start + 1 :]
    return body


@st.composite
def spliced(draw: st.DrawFn) -> bytes:
    """Two bodies in one, in one way or another."""
    first, second = draw(st.sampled_from(SEEDS)), draw(st.sampled_from(SEEDS))
    between = draw(st.sampled_from([b"", b"\n", b",", b"\0", b"\x1e", b" "]))
    cut = draw(st.integers(0, len(first)))
    return draw(st.sampled_from([first + between + second, first[:cut] + second + first[cut:]]))


@st.composite
def recoded(draw: st.DrawFn) -> bytes:
    """A right body in another encoding than UTF-8."""
    body = draw(st.sampled_from(SEEDS)).decode()
    encoding = draw(
        st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "utf-8-sig", "cp037"])
    )
    return body.encode(encoding)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
RIGHT = st.sampled_from(SEEDS)
BODIES = st.one_of(
    RIGHT,
    bent(),
    bent(),
    bent(),
    envelopes(),
    spliced(),
    recoded(),
    st.binary(max_size=200),
    VALUES.map(json.dumps).map(str.encode),
)
