import asyncio
import json
import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app.core.settings import Settings
from app.core.store import StoreError, open_store
from app.core.store.sqlite import SqliteStore
from tests.contract.codes import *  # noqa: F403  (the contract)
from tests.contract.leases import *  # noqa: F403  (the contract)
from tests.contract.moving import *  # noqa: F403  (the contract)
from tests.contract.store import *  # noqa: F403  (the contract)
from tests.contract.store import OpenAnother


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "gatepost.db"


@pytest.fixture
def open_another(path: Path) -> OpenAnother:
    return partial(SqliteStore.open, path)


@pytest.fixture
def another_user(tmp_path: Path) -> Iterator[None]:
    """Closes the folder to the user that runs the test; root becomes another user for it."""
    tmp_path.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
        yield
        os.seteuid(0)
    else:
        yield
    tmp_path.chmod(0o700)


async def test_changes_beyond_the_kept_ones_are_forgotten(path: Path) -> None:
    store = await SqliteStore.open(path, kept_changes=3)
    for n in range(5):
        await store.commit("servers", str(n), {})
    assert await store.changes(1) is None
    assert [change.number for change in await store.changes(2) or []] == [3, 4, 5]
    assert await store.latest_change() == 5
    await store.close()


async def test_expired_rows_are_swept_from_the_file(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.put("things", "old", {}, expires_at=1.0)
    await store.close()
    store = await SqliteStore.open(path)
    await store.put("things", "new", {})
    await store.close()
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT id FROM documents WHERE collection = 'things'").fetchall()
    connection.close()
    assert rows == [("new",)]


async def test_the_state_folder_and_its_files_are_the_owners_alone(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.put("things", "a", {})
    modes = {entry.name: entry.stat().st_mode & 0o777 for entry in [path.parent, *path.parent.iterdir()]}
    await store.close()
    assert modes == {
        "state": 0o700,
        **dict.fromkeys(("gatepost.db", "gatepost.db-wal", "gatepost.db-shm"), 0o600),
    }


async def test_a_store_of_a_newer_schema_is_refused_with_both_versions(path: Path) -> None:
    await (await open_store(Settings(state_dir=path.parent))).close()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE documents SET body = ? WHERE collection = 'meta' AND id = 'schema'",
            (json.dumps({"version": 99}),),
        )
    connection.close()
    with pytest.raises(StoreError) as refused:
        await open_store(Settings(state_dir=path.parent))
    for part in ("version 99", "knows 1", "GATEPOST_STATE_DIR"):
        assert part in str(refused.value)


async def test_a_state_folder_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreError, match=r"state cannot be used.*GATEPOST_STATE_DIR"):
        await open_store(Settings(state_dir=tmp_path / "state"))


async def test_an_unreadable_state_folder_is_refused_by_name(tmp_path: Path, another_user: None) -> None:
    with pytest.raises(StoreError, match="cannot be used: Permission denied"):
        await open_store(Settings(state_dir=tmp_path / "state"))


async def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to be taken for one " * 100)
    with pytest.raises(StoreError, match="cannot be opened: file is not a database"):
        await SqliteStore.open(path)


def _open_and_commit(path: Path, name: str) -> None:
    async def run() -> None:
        store = await SqliteStore.open(path)
        for n in range(10):
            await store.commit("servers", f"{name}-{n}", {})
        await store.close()

    asyncio.run(run())


async def test_processes_that_make_the_file_at_once_share_it(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_open_and_commit, args=(path, f"p{n}")) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, 60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    store = await SqliteStore.open(path)
    changes = await store.changes(0)
    await store.close()
    assert [change.number for change in changes or []] == list(range(1, 31))
