"""One process away: what goes on, what waits, and that it comes back by itself."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.calling import call
from tests.e2e.recorder import Recorder
from tests.e2e.scraping import counted, value
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, recorder: Recorder) -> Iterator[Stack]:
    """A Gatepost whose processes these tests may stop."""
    here = Stack.start(tmp_path_factory.mktemp("faults"))
    here.register("steady", recorder.url)
    here.scope("steady", "steady")
    yield here
    here.stop()


@pytest.fixture(autouse=True)
def whole(own: Stack) -> None:
    """Each test begins with every process there."""
    until(lambda: ready(own), what="readiness")


def ready(stack: Stack) -> bool:
    return httpx2.get(f"{stack.url}/readyz").status_code == 200


class Paused:
    """A process that answers nothing, as one that hangs; it goes on afterwards."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def __enter__(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        os.kill(self.pid, signal.SIGCONT)


def status(stack: Stack, token: str) -> int:
    return httpx2.post(
        f"{stack.url}/mcp/steady",
        json={"jsonrpc": "2.0", "id": 1, "method": "ping"},
        timeout=30,
        headers={"Authorization": f"Bearer {token}"},
    ).status_code


def test_without_auth_known_callers_go_on_and_unknown_ones_wait(own: Stack) -> None:
    known, unknown = own.token("steady"), own.token("steady")
    assert call(own, "steady", known) == "ran"
    with Paused(own.pid("auth")):
        assert call(own, "steady", known) == "ran"
        assert status(own, unknown) == 503
    until(lambda: call(own, "steady", unknown) == "ran", what="auth's return")


def test_a_killed_auth_server_comes_back(own: Stack) -> None:
    known = own.token("steady")
    assert call(own, "steady", known) == "ran"
    before = own.pid("auth")
    os.kill(before, signal.SIGKILL)
    assert call(own, "steady", known) == "ran"
    until(lambda: own.pid("auth") != before, what="auth's restart")
    until(lambda: ready(own), what="auth's answer")
    fresh = own.token("steady")
    assert call(own, "steady", fresh) == "ran"


def test_without_the_registry_calls_go_on(own: Stack) -> None:
    known = own.token("steady")
    before = own.pid("registry")
    os.kill(before, signal.SIGKILL)
    assert call(own, "steady", known) == "ran"
    until(lambda: own.pid("registry") != before, what="the registry's restart")
    until(lambda: own.api("GET", "/api/servers").status_code == 200, what="the registry's answer")


def test_a_worker_that_dies_is_replaced_and_is_closed_to_nobody(own: Stack) -> None:
    token = own.token("steady")
    master = own.pid("gateway")
    worker = int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])
    os.kill(worker, signal.SIGKILL)
    until(lambda: _ran(own, token), what="a new worker's answer")


def _ran(stack: Stack, token: str) -> bool:
    try:
        return call(stack, "steady", token) == "ran"
    except httpx2.TransportError:
        return False


def test_an_upstream_that_is_down_is_named_as_such(own: Stack) -> None:
    own.register("nobody", "http://127.0.0.1:9/mcp")
    own.scope("nobody", "nobody")
    assert call(own, "nobody", own.token("nobody")) == "unreachable"


def test_counts_outlast_a_worker_and_say_that_it_died(own: Stack, upstream: Recorder) -> None:
    own.register("kept", upstream.url)
    own.scope("kept", "kept")
    token = own.token("kept")
    assert call(own, "kept", token) == "ran"
    counted(own, 1, "gatepost_calls_total", server="kept", decision="allow")
    starts = value(own, "gatepost_worker_starts_total")
    master = own.pid("gateway")
    os.kill(int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0]), signal.SIGKILL)
    counted(own, starts + 1, "gatepost_worker_starts_total")
    counted(own, 1, "gatepost_calls_total", server="kept", decision="allow")
