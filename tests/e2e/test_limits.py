import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from app.cli.nginx import find
from tests.e2e.bypass.gate import ACCEPT, JSON, MODERN, call
from tests.e2e.limited import Limited, holding
from tests.e2e.raw_upstream import EVENTS, behaving, closed_by_peer
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def gatepost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost of two workers."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(tmp_path_factory.mktemp("limits"), GATEPOST_GATEWAY_WORKERS="2")
    yield here
    here.stop()


def test_a_caller_over_the_rate_is_told_when_to_come_back(gatepost: Stack, recorder: Recorder) -> None:
    server = Limited(gatepost, recorder.url, rate_limit=1)
    assert server.outcome() == "ran"
    modern, legacy = server.send(era=MODERN), server.send()
    assert (modern.status_code, legacy.status_code) == (429, 200)
    for refused in (modern, legacy):
        error = refused.json()["error"]
        assert (error["data"]["rule"], refused.json()["id"]) == ("rate_limit", 7)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert "your limit of 1 calls a minute" in error["message"]


def test_one_callers_rate_is_not_anothers(gatepost: Stack, recorder: Recorder) -> None:
    server = Limited(gatepost, recorder.url, rate_limit=1)
    assert [server.outcome(), server.outcome()] == ["ran", "rate_limit"]
    assert server.outcome(server.other_caller()) == "ran"


def test_the_servers_rate_is_of_all_callers_together(gatepost: Stack, recorder: Recorder) -> None:
    server = Limited(gatepost, recorder.url, server_rate_limit=1)
    other = server.other_caller()
    assert [server.outcome(), server.outcome(other)] == ["ran", "rate_limit"]
    assert "of all callers together" in server.send(token=other).json()["error"]["message"]


def test_a_burst_over_both_workers_passes_no_more_than_the_bucket_holds(
    gatepost: Stack, recorder: Recorder
) -> None:
    server = Limited(gatepost, recorder.url, rate_limit=60)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: server.outcome(), range(60)))
    leaked = time.monotonic() - began
    assert set(outcomes) == {"ran", "rate_limit"}
    assert 10 <= outcomes.count("ran") <= 11 + leaked


def test_the_bucket_leaks(gatepost: Stack, recorder: Recorder) -> None:
    server = Limited(gatepost, recorder.url, rate_limit=120)
    until(lambda: server.outcome() == "rate_limit", what="the limit")
    until(lambda: server.outcome() == "ran", what="the leak")


def test_only_so_many_calls_are_at_a_server_at_once(gatepost: Stack) -> None:
    with holding() as held:
        server = Limited(gatepost, held.upstream.url, concurrency=3)
        begun = held.begin(server, 3)
        assert server.outcome(server.other_caller()) == "concurrency"
        refused = server.send(era=MODERN)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        held.let_go.set()
        assert [one.result() for one in begun] == ["ran"] * 3
        assert server.outcome() == "ran"


def test_one_caller_does_not_take_all_slots(gatepost: Stack) -> None:
    with holding() as held:
        server = Limited(gatepost, held.upstream.url, concurrency=3, caller_concurrency=2)
        held.begin(server, 2)
        assert server.outcome() == "concurrency"
        held.begin(server, 1, server.other_caller())


def test_a_call_that_the_rate_refuses_holds_no_slot(gatepost: Stack) -> None:
    with holding() as held:
        server = Limited(gatepost, held.upstream.url, concurrency=1, rate_limit=1)
        held.let_go.set()
        assert [server.outcome() for _ in range(3)] == ["ran", "rate_limit", "rate_limit"]


def test_a_stream_holds_no_slot(gatepost: Stack) -> None:
    def stream_or_call(connection: socket.socket) -> None:
        connection.sendall(EVENTS + b": open\n\n")
        closed_by_peer(connection)

    with behaving(stream_or_call) as upstream:
        server = Limited(gatepost, upstream.url, concurrency=1, caller_concurrency=1)
        url = f"{gatepost.url}/mcp/{server.slug}"
        headers = dict([ACCEPT, JSON, ("Authorization", f"Bearer {server.token}")])
        with httpx2.stream("GET", url, headers=headers) as stream:
            events = stream.iter_raw()
            assert next(events)
            with httpx2.stream("POST", url, content=call(), headers=headers) as one:
                answer_of_one = one.iter_raw()
                assert next(answer_of_one)
                assert server.outcome() == "concurrency"


@pytest.mark.parametrize("ending", ["reset", "bad answer", "client leaves"])
def test_a_slot_is_free_again_however_its_call_ended(gatepost: Stack, ending: str) -> None:
    def end(connection: socket.socket) -> None:
        if ending == "client leaves":
            closed_by_peer(connection)
        elif ending == "bad answer":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno")

    with behaving(end) as upstream:
        server = Limited(gatepost, upstream.url, concurrency=1, caller_concurrency=1)
        for _ in range(3):
            if ending == "client leaves":
                until(lambda: leave(server), what="a free slot")
            else:
                assert server.outcome() == {"reset": "unreachable", "bad answer": "kind"}[ending]


def leave(server: Limited) -> bool:
    """Begin a call and leave; whether there was a slot for it."""
    try:
        server.send(timeout=0.2)
    except httpx2.ReadTimeout:
        return True
    return False


def test_lists_and_pings_are_not_counted(gatepost: Stack, recorder: Recorder) -> None:
    server = Limited(gatepost, recorder.url, rate_limit=1, concurrency=1)
    assert [server.outcome(), server.outcome()] == ["ran", "rate_limit"]
    for method in ("ping", "tools/list", "initialize"):
        body = re.sub(rb"tools/call", method.encode(), call())
        assert "result" in server.send(body).json()
