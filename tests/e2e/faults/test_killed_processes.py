"""kill -9 of each process under load: who notices, and that all comes back by itself."""

import os
import signal

import httpx2
import pytest

from app.cli.runfile import start_time
from tests.e2e.calling import call
from tests.e2e.faults.conftest import ready
from tests.e2e.faults.processes import Paused, kill, pid_of, worker_of
from tests.e2e.load import Seen, Target, load
from tests.e2e.scraping import counted, value
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e


def status(target: Target, token: str) -> int:
    return httpx2.post(
        target.stack.url + target.path,
        json={"jsonrpc": "2.0", "id": 1, "method": "ping"},
        timeout=30,
        headers={"Authorization": f"Bearer {token}"},
    ).status_code


def test_while_auth_hangs_known_callers_go_on_and_unknown_ones_wait(own: Stack, steady: Target) -> None:
    unknown = own.token("good")
    with load(steady) as seen:
        with Paused(pid_of(own, "auth")):
            assert status(steady, unknown) == 503
            seen.goes_on()
        until(lambda: call(own, "good", unknown) == "ran", what="auth's return")
    assert seen.clean, seen


@pytest.mark.parametrize("name", ["auth", "registry"])
def test_a_killed_process_of_the_control_plane_costs_no_call_and_comes_back(
    own: Stack, steady: Target, name: str
) -> None:
    with load(steady) as seen:
        kill(own, name)
        seen.goes_on()
        until(lambda: ready(own), what=f"{name}'s answer")
        assert call(own, "good", own.token("good")) == "ran"
        seen.goes_on()
    assert seen.clean, seen


def test_a_killed_worker_is_replaced_and_its_successor_knows_all_callers(own: Stack, steady: Target) -> None:
    with load(steady) as seen:
        before = worker_of(own)
        os.kill(before, signal.SIGKILL)
        until(lambda: before != _worker(own), what="a new worker")
        _recovers(seen)
    assert seen.wrong == []


def test_counts_outlast_a_killed_worker_and_say_that_another_began(own: Stack, steady: Target) -> None:
    with load(steady) as seen:
        until(lambda: value(own, "gatepost_calls_total", server="good"), what="the first counts")
        calls, starts = value(own, "gatepost_calls_total"), value(own, "gatepost_worker_starts_total")
        os.kill(worker_of(own), signal.SIGKILL)
        counted(own, starts + 1, "gatepost_worker_starts_total")
        assert value(own, "gatepost_calls_total") >= calls > 0
        _recovers(seen)


def test_a_killed_gateway_frees_its_port_and_opens_once_auth_has_answered(own: Stack, steady: Target) -> None:
    with load(steady) as seen:
        orphan = worker_of(own)
        kill(own, "gateway")
        _recovers(seen)
        assert start_time(orphan) is None, f"worker {orphan} outlived its master, with the port"
    assert seen.wrong == []


def test_without_its_supervisor_the_gateway_goes_on_and_the_next_up_takes_over(
    own: Stack, steady: Target
) -> None:
    with load(steady) as seen:
        os.kill(pid_of(own, "supervisor"), signal.SIGKILL)
        seen.goes_on()
        own.api("GET", "/api/servers", expect=200)
        assert seen.clean, seen
        own.command("up", "--detach")
        _recovers(seen)
    assert seen.wrong == []


def _recovers(seen: Seen) -> None:
    """Every stream is open again, and calls go on without another failure."""
    seen.goes_on()
    until(lambda: seen.open_streams >= 16, what="every stream's return")
    failed = len(seen.failed)
    seen.goes_on(200)
    assert len(seen.failed) == failed, seen.failed[-1]


def _worker(stack: Stack) -> int | None:
    try:
        return worker_of(stack)
    except ValueError:  # none yet
        return None
