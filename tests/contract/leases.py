"""What every store's leases must do; needs `open_another` as a partial, since other processes call it too."""

import asyncio
import multiprocessing
import os
import signal
import time
import uuid
from collections.abc import Sequence
from itertools import permutations
from multiprocessing.connection import Connection
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.store import Store
from app.core.store.lease import lease
from tests.contract.store import OpenAnother

LIFE_S = 1.0
SLACK_S = 3.0
_OVER = " (over)"
SPAWN = multiprocessing.get_context("spawn")


async def test_a_lease_has_one_holder_among_many_takers(store: Store, other: Store) -> None:
    takers = [(handle, f"h{n}") for n, handle in enumerate((store, other) * 10)]
    taken = await asyncio.gather(*(handle.acquire("job", holder, 60) for handle, holder in takers))
    assert sum(taken) == 1


async def test_a_holder_renews_its_lease_and_others_wait(store: Store, other: Store) -> None:
    assert await store.acquire("job", "me", 60)
    assert await store.acquire("job", "me", 60)
    assert not await other.acquire("job", "you", 60)
    assert await other.acquire("another job", "you", 60)


async def test_a_renewed_lease_lives_from_its_renewal_on(store: Store, other: Store) -> None:
    await store.acquire("job", "me", 0.2)
    await store.acquire("job", "me", 60)
    await asyncio.sleep(0.3)
    assert not await other.acquire("job", "you", 60)


async def test_a_lease_is_free_once_released_by_its_holder(store: Store, other: Store) -> None:
    await store.acquire("job", "me", 60)
    await other.release("job", "you")
    assert not await other.acquire("job", "you", 60)
    await store.release("job", "me")
    assert await other.acquire("job", "you", 60)


async def test_a_lease_is_free_once_its_time_is_over_and_its_old_holder_cannot_renew_it(
    store: Store, other: Store
) -> None:
    await store.acquire("job", "me", 0.2)
    assert not await other.acquire("job", "you", 60)
    deadline = time.monotonic() + 5
    while not await other.acquire("job", "you", 60):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert not await store.acquire("job", "me", 60)


Step = tuple[str, str, float]
steps = st.tuples(
    st.sampled_from(["acquire", "release"]), st.sampled_from("abc"), st.sampled_from([0.0, 60.0])
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(steps, min_size=1, max_size=4), min_size=1, max_size=6))
async def test_what_many_do_at_once_to_a_lease_is_as_if_they_had_done_it_one_after_another(
    store: Store, other: Store, rounds: list[list[Step]]
) -> None:
    name = str(uuid.uuid4())
    holders: set[str | None] = {None}  # who may hold it, by what was answered so far
    over = {None, *(who + _OVER for who in "abc")}
    for at_once in rounds:
        handles = (store, other, store, other)
        answers = await asyncio.gather(
            *(_step(handle, name, step) for handle, step in zip(handles, at_once, strict=False))
        )
        done = list(zip(at_once, answers, strict=True))
        holders = {after for order in permutations(done) for after in _after(holders, order)}
        assert holders, f"no order of {done} explains the answers"
        await asyncio.sleep(0.002)  # a store may count time in whole milliseconds
        holders = {None if holder in over else holder for holder in holders}


def _after(holders: set[str | None], order: Sequence[tuple[Step, bool]]) -> set[str | None]:
    """A lease of no time at all may be over, or still be held by who asked at the same moment."""
    for (kind, who, seconds), answer in order:
        own = {who, who + _OVER}
        if kind == "release":
            holders = {None if holder in own else holder for holder in holders}
        elif answer:
            free = {None, *own, *(holder for holder in holders if holder and holder.endswith(_OVER))}
            holders = {who if seconds else who + _OVER} if holders & free else set()
        else:
            holders = holders - {None, *own}
    return holders


async def _step(store: Store, name: str, step: Step) -> bool:
    kind, holder, seconds = step
    if kind == "acquire":
        return await store.acquire(name, holder, seconds)
    await store.release(name, holder)
    return False


def _take_turns(open_another: OpenAnother, desk: Path, turns: int) -> None:
    async def work() -> None:
        store = await open_another()
        for _ in range(turns):
            async with lease(store, "desk", 5, wait_s=60):
                os.close(os.open(desk, os.O_CREAT | os.O_EXCL))  # fails where somebody else sits there
                await asyncio.sleep(0.002)
                desk.unlink()
        await store.close()

    asyncio.run(work())


async def test_of_many_processes_that_race_two_never_hold_a_lease(
    open_another: OpenAnother, tmp_path: Path
) -> None:
    processes = [
        SPAWN.Process(target=_take_turns, args=(open_another, tmp_path / "desk", 15)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, 90)
    assert [process.exitcode for process in processes] == [0] * 4


def _hold(open_another: OpenAnother, says: Connection) -> None:
    async def work() -> None:
        store = await open_another()
        async with lease(store, "job", LIFE_S):
            says.send("held")
            await asyncio.sleep(60)

    asyncio.run(work())


async def test_the_lease_of_a_process_that_is_killed_is_free_within_its_time(
    store: Store, open_another: OpenAnother
) -> None:
    here, there = SPAWN.Pipe()
    holder = SPAWN.Process(target=_hold, args=(open_another, there))
    holder.start()
    assert await asyncio.to_thread(here.recv) == "held"
    end = time.monotonic() + 2 * LIFE_S
    while time.monotonic() < end:  # renewed while it lives
        assert not await store.acquire("job", "me", 60)
        await asyncio.sleep(0.05)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    killed = time.monotonic()
    while not await store.acquire("job", "me", 60):
        assert time.monotonic() - killed < LIFE_S + SLACK_S
        await asyncio.sleep(0.02)
    await asyncio.to_thread(holder.join, 10)
