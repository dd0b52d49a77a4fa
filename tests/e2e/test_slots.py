import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app.cli.nginx import find
from tests.e2e.limited import Limited, holding
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def gatepost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost of two workers, which these tests may kill."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(tmp_path_factory.mktemp("slots"), GATEPOST_GATEWAY_WORKERS="2")
    yield here
    here.stop()


def workers(stack: Stack) -> list[int]:
    master = stack.pid("gateway")
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


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
