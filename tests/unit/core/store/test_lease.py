import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.settings import Settings
from app.core.store import Store, open_store
from app.core.store.lease import LeaseLost, LeaseTaken, lease
from app.core.store.sqlite import SqliteStore

pytestmark = pytest.mark.anyio


@pytest.fixture
async def other(settings: Settings, store: Store) -> AsyncIterator[Store]:
    opened = await open_store(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def file_store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await SqliteStore.open(tmp_path / "file.db")
    yield opened
    await opened.close()


async def test_of_many_that_ask_one_works_at_a_time_and_all_get_their_turn(
    store: Store, other: Store
) -> None:
    inside, turns = 0, 0

    async def work(handle: Store) -> None:
        nonlocal inside, turns
        async with lease(handle, "job"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.005)
            inside -= 1
            turns += 1

    await asyncio.gather(*(work(handle) for handle in (store, other) * 5))
    assert turns == 10


async def test_a_lease_is_renewed_for_as_long_as_the_work_takes(store: Store, other: Store) -> None:
    async with lease(store, "job", 0.6):
        with pytest.raises(LeaseTaken, match="lease job"):
            async with lease(other, "job", wait_s=1.5):
                pytest.fail("two hold it")
    async with lease(other, "job", wait_s=0):
        pass


async def test_work_whose_lease_is_taken_away_is_stopped(tmp_path: Path, file_store: Store) -> None:
    async def work() -> None:
        async with lease(file_store, "job", 0.6):
            with sqlite3.connect(tmp_path / "file.db") as database:
                database.execute("UPDATE leases SET holder = 'thief', expires_at = expires_at + 60")
            database.close()
            await asyncio.sleep(20)
            pytest.fail("it went on")

    with pytest.raises(LeaseLost, match="lease job"):
        await work()
    assert not await file_store.acquire("job", "me", 60)


async def test_work_stops_before_a_lease_that_cannot_be_renewed_ends(
    tmp_path: Path, file_store: Store
) -> None:
    cut_off = await SqliteStore.open(tmp_path / "file.db")

    async def work() -> None:
        async with lease(cut_off, "job", 2):
            cut_off._database._writer.execute("PRAGMA query_only = ON")
            await asyncio.sleep(20)

    with pytest.raises(LeaseLost):
        await work()
    assert not await file_store.acquire("job", "me", 60)
    async with lease(file_store, "job", wait_s=10):
        pass
    await cut_off.close()


@pytest.mark.parametrize("error", [ValueError, TimeoutError])
async def test_work_that_fails_gives_its_lease_back_and_its_own_error(
    store: Store, error: type[Exception]
) -> None:
    with pytest.raises(error, match="my own"):
        async with lease(store, "job"):
            raise error("my own")
    assert await store.acquire("job", "me", 60)


async def test_work_that_is_cancelled_gives_its_lease_back(store: Store) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with lease(store, "job"):
            entered.set()
            await asyncio.sleep(20)

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.acquire("job", "me", 60)
