import time
from functools import partial
from typing import Any

import pytest
from pymongo import IndexModel, MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure

from app.core.settings import Settings
from app.core.store.collections import COLLECTIONS
from app.core.store.mongo import MongoStore, commits, connection
from tests.contract.codes import *  # noqa: F403  (the contract)
from tests.contract.interleavings import *  # noqa: F403  (the contract)
from tests.contract.leases import *  # noqa: F403  (the contract)
from tests.contract.moving import *  # noqa: F403  (the contract)
from tests.contract.store import *  # noqa: F403  (the contract)
from tests.contract.store import OpenAnother


@pytest.fixture
def open_another(mongodb: Settings) -> OpenAnother:
    return partial(MongoStore.open, mongodb)


async def test_a_database_put_back_from_a_backup_is_followed_from_where_it_is(
    mongodb: Settings, open_another: OpenAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_another()
    for number in range(5):
        await store.commit("servers", f"{number}", {})
    with MongoClient[dict[str, object]](mongodb.secret("mongodb_uri")) as client:
        changes = client.get_default_database()[f"{mongodb.mongodb_collection_prefix}changes"]
        changes.delete_many({"number": {"$gt": 2}})
    later = time.time() + 61
    monkeypatch.setattr(commits.time, "time", lambda: later)
    assert await store.latest_change() == 2
    await store.commit("servers", "new", {})
    assert [change.number for change in await store.changes(0) or []] == [1, 2, 3]
    await store.close()


async def test_changes_that_a_process_made_or_met_are_not_read_again(
    mongodb: Settings, open_another: OpenAnother, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = await open_another(), await open_another()
    for number in range(3):
        await store.commit("servers", f"{number}", {})
    assert await other.latest_change() == 3

    async def read(self: connection.Connection, collection: str, *_args: Any, **_more: Any) -> list[Any]:
        raise AssertionError(f"{collection} was read")

    monkeypatch.setattr(connection.Connection, "find", read)
    assert [change.id for change in await store.changes(0) or []] == ["0", "1", "2"]
    assert [change.id for change in await other.changes(2) or []] == ["2"]
    await store.close()
    await other.close()


async def test_expired_documents_are_swept_where_the_server_does_not(mongodb: Settings) -> None:
    store = await MongoStore.open(mongodb)
    if store._sweep_at == float("inf"):
        await store.close()
        pytest.skip("this server removes what has expired by itself")
    await store.put("health", "old", {}, expires_at=1.0)
    await store.close()
    store = await MongoStore.open(mongodb)
    await store.put("health", "new", {})
    await store.close()
    with MongoClient[dict[str, object]](mongodb.secret("mongodb_uri")) as client:
        found = client.get_default_database()[f"{mongodb.mongodb_collection_prefix}health"].find()
        assert [document["_id"] for document in found] == ["new"]


async def test_collections_are_made_before_their_indexes(
    mongodb: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_index, asked = connection.Connection.create_index, list[str]()

    async def checked(self: connection.Connection, collection: str, index: IndexModel) -> None:
        if collection not in asked:
            assert collection in await self.names()
            asked.append(collection)
        await create_index(self, collection, index)

    monkeypatch.setattr(connection.Connection, "create_index", checked)
    await (await MongoStore.open(mongodb)).close()
    assert asked == list(COLLECTIONS)


async def test_a_start_waits_for_an_index_that_another_process_builds(
    mongodb: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_indexes, refused = AsyncCollection.create_indexes, list[str]()

    async def at_first_refused(self: AsyncCollection[Any], *args: Any, **more: Any) -> list[str]:
        if len(refused) < 2:
            refused.append(self.name)
            raise OperationFailure("Existing index build in progress on the same collection.", 40333)
        return await create_indexes(self, *args, **more)

    monkeypatch.setattr(AsyncCollection, "create_indexes", at_first_refused)
    await (await MongoStore.open(mongodb)).close()
    assert len(refused) == 2
