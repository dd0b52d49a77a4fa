"""A server in trouble under load: its callers learn of it, nobody else notices, memory is bounded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e import memory, troubled
from tests.e2e.attach import Attach
from tests.e2e.calling import call
from tests.e2e.faults.processes import worker_of
from tests.e2e.load import Seen, Target, load
from tests.e2e.stack import Stack, free_port, until
from tests.e2e.trouble import LIST, Ending, call_of, trouble

pytestmark = pytest.mark.e2e
MOST = 300 * 1024 * 1024
"""Of a worker: 64 MiB of answers that are not whole, what is made of them, and what waits to be collected."""


@contextmanager
def nobody_else_notices(steady: Target) -> Iterator[Seen]:
    """The load on the good server: each call and stream is whole; the worker stays, and stays small."""
    worker = worker_of(steady.stack)
    memory.forget_peak(worker)
    with load(steady) as seen:
        seen.goes_on()
        yield seen
        seen.goes_on()
    assert seen.clean, seen
    assert worker_of(steady.stack) == worker
    peak = memory.peak(worker)
    assert peak < MOST, f"the worker grew to {peak >> 20} MiB"


def ended(endings: list[Ending], count: int = 4) -> None:
    until(lambda: len(endings) >= count, 60, "the calls' end")


@pytest.mark.parametrize("kind", ["silent", "slow"])
def test_an_upstream_that_does_not_answer_holds_its_own_callers_alone(
    steady: Target, attach: Attach, kind: str
) -> None:
    bad = attach(kind)
    with nobody_else_notices(steady) as seen, trouble(bad, call_of("any"), callers=64) as endings:
        seen.goes_on(500)
        assert endings == []


def test_the_callers_of_a_silent_upstream_hear_of_its_timeout(own: Stack, steady: Target) -> None:
    with troubled.running("silent") as url:
        own.register("impatient", url, timeout_s=1)
        own.scope("impatient", "impatient")
        bad = Target(own, "impatient", own.token("impatient"))
        with nobody_else_notices(steady), trouble(bad, call_of("any")) as endings:
            ended(endings)
    assert {ending.rule for ending in endings} == {"timeout"}


@pytest.mark.parametrize(
    "message", [call_of("any"), call_of("any", stream=1), LIST], ids=["call", "stream", "list"]
)
def test_an_answer_that_is_reset_midway_is_never_taken_for_a_whole_one(
    steady: Target, attach: Attach, message: dict[str, Any]
) -> None:
    with nobody_else_notices(steady), trouble(attach("resetting"), message) as endings:
        ended(endings, 20)
    assert not any(ending.whole for ending in endings)


def test_a_list_of_100_mb_is_refused_and_not_held(steady: Target, attach: Attach) -> None:
    with nobody_else_notices(steady), trouble(attach("huge"), LIST) as endings:
        ended(endings)
    assert {ending.rule for ending in endings} == {"list"}


def test_lists_that_stall_are_refused_once_they_hold_too_much_together(
    steady: Target, attach: Attach
) -> None:
    with nobody_else_notices(steady), trouble(attach("stalled"), LIST, callers=40) as endings:
        ended(endings, 36)
    assert {ending.rule for ending in endings} == {"list"}


@pytest.mark.parametrize("kind", ["event", "blank"])
def test_100_mb_of_one_event_end_and_of_blank_lines_pass(steady: Target, attach: Attach, kind: str) -> None:
    with nobody_else_notices(steady) as seen, trouble(attach("huge"), call_of("any", **{kind: 1})) as endings:
        if kind == "event":
            ended(endings)
        seen.goes_on(500)
    assert not any(ending.whole for ending in endings)


def test_a_tool_result_of_100_mb_passes_whole_and_unheld(steady: Target, attach: Attach) -> None:
    with nobody_else_notices(steady), trouble(attach("huge"), call_of("any"), callers=2) as endings:
        ended(endings, 1)
    assert endings[0].whole
    assert endings[0].size > 90_000_000


@pytest.mark.parametrize("message", [call_of("any"), LIST], ids=["call", "list"])
def test_broken_events_harm_nobody_else(steady: Target, attach: Attach, message: dict[str, Any]) -> None:
    with nobody_else_notices(steady), trouble(attach("broken-events"), message) as endings:
        ended(endings, 20)
    assert {ending.status for ending in endings} == {200}


def test_a_list_of_1000_pages_is_read_page_by_page(steady: Target, attach: Attach) -> None:
    bad = attach("paged")
    with (
        nobody_else_notices(steady),
        trouble(bad, {"method": "tools/list", "params": {"cursor": "7"}}) as pages,
    ):
        ended(pages, 200)
    assert all(b'"nextCursor": "8"' in page.start and b"tool-7" in page.start for page in pages)


def test_an_upstream_that_is_away_is_named_as_such_until_it_is_back(own: Stack, steady: Target) -> None:
    port = free_port()
    own.register("away", f"http://127.0.0.1:{port}/mcp")
    own.scope("away", "away")
    token = own.token("away")
    with nobody_else_notices(steady):
        assert call(own, "away", token) == "unreachable"
        with troubled.running("good", port):
            assert call(own, "away", token) == "ran"
        assert call(own, "away", token) == "unreachable"
