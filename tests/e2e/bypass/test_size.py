import threading
import time
from itertools import product

import httpx2
import pytest

from tests.e2e.bypass.gate import Gate, call

pytestmark = pytest.mark.e2e
CAP = 4 * 1024 * 1024
BLOCKED_S = 0.05
OPENING = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed","%b":'
PLACES = [b"arguments", b"_meta", b"other"]
DEEP = {
    "arrays": (b"[", b"]"),
    "objects": (b'{"a":', b"}"),
    "mixed": (b'[{"a":', b"}]"),
}


def of_size(size: int) -> bytes:
    """An allowed call of exactly so many bytes."""
    return call(arguments={"x": "y" * (size - len(call(arguments={"x": ""})))})


def nested(place: bytes, kind: str, depth: int) -> bytes:
    """An allowed call with a value of that depth."""
    opening, closing = DEEP[kind]
    return OPENING % place + b'{"x":' + opening * depth + b"1" + closing * depth + b"}}}"


def colliding(count: int) -> list[bytes]:
    """Texts of 128 bytes that differ only where LuaJIT's hash of long strings does not look."""
    letters = b"abcdefghijklmnopqrstuvwxyz012345"
    texts = (bytes(varied) for varied in product(letters, repeat=3))
    return [b"s" * 96 + next(texts) + b"s" * 29 for _ in range(count)]


STRINGS = colliding(30_000)
FLOODS = {
    "array": OPENING % b"arguments" + b'{"x":["' + b'","'.join(STRINGS) + b'"]}}}',
    "keys": OPENING % b"arguments" + b'{"' + b'":1,"'.join(STRINGS) + b'":1}}}',
    "values": OPENING % b"arguments"
    + b'{"'
    + b'","x":"'.join([b'x":"' + STRINGS[0], *STRINGS[1:]])
    + b'"}}}',
    "meta": OPENING % b"_meta" + b'{"x":["' + b'","'.join(STRINGS) + b'"]}}}',
    "params": OPENING % b"x" + b'1,"' + b'":1,"'.join(STRINGS) + b'":1}}',
    "envelope": b'{"' + b'":1,"'.join(STRINGS) + b'":1}',
    "uris": b'{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":'
    b'{"resourceSubscriptions":["' + b'","'.join(STRINGS) + b'"]}}}',
}


@pytest.mark.parametrize("length", [True, False], ids=["with_length", "without_length"])
def test_a_body_of_exactly_the_cap_passes_and_one_byte_more_does_not(gate: Gate, length: bool) -> None:
    gate.passes(of_size(CAP), length=length)
    gate.received.clear()
    gate.refuses(of_size(CAP + 1), status=413, length=length)


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("place", PLACES, ids=bytes.decode)
def test_deep_nesting_is_refused(gate: Gate, place: bytes, kind: str) -> None:
    gate.refuses(nested(place, kind, 1200))
    gate.refuses(nested(place, kind, 100_000))


@pytest.mark.parametrize("kind", DEEP)
def test_usual_nesting_passes(gate: Gate, kind: str) -> None:
    gate.passes(nested(b"arguments", kind, 64))


@pytest.mark.parametrize("name", ["a" * 8193, "a" * 1_000_000])
def test_an_endless_name_is_refused(gate: Gate, name: str) -> None:
    gate.refuses(call(name))


def longest_wait(gate: Gate, body: bytes) -> float:
    """Seconds that another connection waited at most for an answer while this body was read."""
    polling, done = threading.Event(), threading.Event()
    waits: list[float] = []

    def poll() -> None:
        with httpx2.Client(verify=False) as client:
            while not done.is_set():
                start = time.perf_counter()
                client.get(gate.stack.url + "/healthz")
                waits.append(time.perf_counter() - start)
                polling.set()

    poller = threading.Thread(target=poll)
    poller.start()
    assert polling.wait(20)
    waits.clear()
    try:
        reply = gate.send(body)
    finally:
        done.set()
        poller.join()
    assert reply.status in {200, 400}
    return max(waits)


@pytest.mark.parametrize("body", FLOODS.values(), ids=FLOODS)
def test_strings_that_collide_in_the_hash_of_luajit_block_no_worker(gate: Gate, body: bytes) -> None:
    """Every other request waits no longer than usual; the best of some runs, since other programs run too."""
    assert len(body) <= CAP
    runs = (longest_wait(gate, body) for _ in range(8))
    assert any(wait <= BLOCKED_S for wait in runs)
