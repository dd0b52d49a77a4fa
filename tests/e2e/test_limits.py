import asyncio
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx2
import pytest

from app.cli.nginx import find
from app.core.settings import Settings
from app.core.store import open_store
from app.core.tokens import TokenStore
from tests.e2e.bypass.gate import ACCEPT, JSON, LEGACY, MODERN, Header, call
from tests.e2e.raw_upstream import EVENTS, RawUpstream, answer, behaving, closed_by_peer
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
slugs = (f"limited-{number}" for number in count())


@pytest.fixture(scope="module")
def gatepost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost of two workers, which these tests may kill."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(tmp_path_factory.mktemp("limits"), GATEPOST_GATEWAY_WORKERS="2")
    yield here
    here.stop()


class Limited:
    """A server with limits behind the gateway, and calls to it."""

    def __init__(self, stack: Stack, url: str, **limits: int) -> None:
        self.stack, self.slug = stack, next(slugs)
        stack.register(self.slug, url, **limits)
        stack.scope(self.slug, self.slug)
        self.token = stack.token(self.slug)

    def other_caller(self) -> str:
        """A token of somebody else with the same rights."""

        async def make() -> str:
            store = await open_store(Settings(state_dir=self.stack.folder / ".gatepost"))
            try:
                made = await TokenStore(store).create("test", "local:alice", ["admins"], [self.slug], None)
            finally:
                await store.close()
            return made[1]

        return asyncio.run(make())

    def send(
        self, body: bytes | None = None, era: Header = LEGACY, token: str = "", timeout: float = 30
    ) -> httpx2.Response:
        headers = [ACCEPT, JSON, era, ("Authorization", f"Bearer {token or self.token}")]
        url = f"{self.stack.url}/mcp/{self.slug}"
        return httpx2.post(url, content=body or call(), headers=headers, timeout=timeout)

    def outcome(self, token: str = "") -> str:
        """ "ran", or the rule that refused."""
        answered = self.send(token=token).json()
        return "ran" if "result" in answered else str(answered["error"]["data"]["rule"])


class Held:
    """An upstream that holds each call until it is let go, and calls that are under way there."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.upstream = RawUpstream(self._hold)
        self._pool = ThreadPoolExecutor(32)

    def _hold(self, connection: socket.socket) -> None:
        self.let_go.wait(30)
        answer(connection)

    def begin(self, server: Limited, calls: int, token: str = "") -> list[Future[str]]:
        """Make calls and wait until the upstream has them."""
        before = self.upstream.calls
        begun = [self._pool.submit(server.outcome, token) for _ in range(calls)]
        until(lambda: self.upstream.calls == before + calls, what="their arrival")
        return begun


@contextmanager
def holding() -> Iterator[Held]:
    held = Held()
    try:
        yield held
    finally:
        held.let_go.set()
        held._pool.shutdown()
        held.upstream.stop()


def workers(stack: Stack) -> list[int]:
    master = stack.pid("gateway")
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


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


def test_a_killed_workers_slots_are_given_back(gatepost: Stack) -> None:
    with holding() as held:
        server = Limited(gatepost, held.upstream.url, concurrency=6, caller_concurrency=6)
        begun = held.begin(server, 6)
        assert server.outcome() == "concurrency"
        for pid in workers(gatepost):
            os.kill(pid, signal.SIGKILL)
        for one in begun:
            with pytest.raises(httpx2.TransportError):
                one.result()
        held.let_go.set()
        until(lambda: ran(server), what="a free slot")
        held.let_go.clear()
        held.begin(server, 6)
        assert server.outcome() == "concurrency"


def ran(server: Limited) -> bool:
    try:
        return server.outcome() == "ran"
    except httpx2.TransportError:
        return False


def test_a_reload_neither_frees_nor_loses_slots(gatepost: Stack) -> None:
    with holding() as held:
        server = Limited(gatepost, held.upstream.url, concurrency=4)
        begun = held.begin(server, 4)
        old = set(workers(gatepost))
        os.kill(gatepost.pid("gateway"), signal.SIGHUP)
        until(lambda: len(set(workers(gatepost)) - old) == 2, what="the new workers")
        until(lambda: ready(gatepost), what="readiness")
        assert server.outcome() == "concurrency"
        held.let_go.set()
        assert [one.result() for one in begun] == ["ran"] * 4
        held.let_go.clear()
        held.begin(server, 4)
        assert server.outcome() == "concurrency"


def ready(stack: Stack) -> bool:
    try:
        return httpx2.get(f"{stack.url}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def test_lists_and_pings_are_not_counted(gatepost: Stack, recorder: Recorder) -> None:
    server = Limited(gatepost, recorder.url, rate_limit=1, concurrency=1)
    assert [server.outcome(), server.outcome()] == ["ran", "rate_limit"]
    for method in ("ping", "tools/list", "initialize"):
        body = re.sub(rb"tools/call", method.encode(), call())
        assert "result" in server.send(body).json()
