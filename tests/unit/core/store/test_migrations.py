import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from app.core.settings import Settings
from app.core.store import Store, StoreError, open_store
from app.core.store.base import Body
from app.core.store.migrations import MIGRATIONS, SCHEMA_VERSION, bring_forward

pytestmark = pytest.mark.anyio


def named(collection: str, body: Body) -> Body:
    return {**body, "name": body.get("title", "")} if collection == "servers" else body


def counted(collection: str, body: Body) -> Body:
    if collection != "servers" or "count" in body:
        return body
    return {**body, "count": body.get("count", 0) + 1}


NEXT: Mapping[int, Any] = {SCHEMA_VERSION: named, SCHEMA_VERSION + 1: counted}


async def version(store: Store) -> int:
    found = await store.get("meta", "schema")
    assert found is not None
    return int(found.body["version"])


async def test_a_new_store_has_the_newest_version(store: Store) -> None:
    assert await version(store) == SCHEMA_VERSION
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


async def test_every_document_is_brought_forward_step_by_step_and_keeps_its_revision(store: Store) -> None:
    for n in range(3):
        await store.commit("servers", "a", {"title": f"{n}"})
    await store.put("health", "a", {"title": "x"}, expires_at=4_000_000_000)
    await bring_forward(store, NEXT, SCHEMA_VERSION + 2)
    found = await store.get("servers", "a")
    assert found is not None
    assert (found.revision, found.body) == (3, {"title": "2", "name": "2", "count": 1})
    other = await store.get("health", "a")
    assert other is not None
    assert other.body == {"title": "x"}
    assert await version(store) == SCHEMA_VERSION + 2


async def test_a_step_that_was_interrupted_is_done_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put_new("servers", {f"{n:04}": {"title": "t"} for n in range(600)})
    load, loads = store.load, 0

    async def dies(*given: Any) -> None:
        nonlocal loads
        loads += 1
        if loads == 2:
            raise StoreError("gone")
        await load(*given)

    monkeypatch.setattr(store, "load", dies)
    with pytest.raises(StoreError, match="gone"):
        await bring_forward(store, NEXT, SCHEMA_VERSION + 2)
    assert await version(store) == SCHEMA_VERSION
    monkeypatch.undo()
    await bring_forward(store, NEXT, SCHEMA_VERSION + 2)
    found = await store.dump("servers", None, 1000)
    assert {(one.body["name"], one.body["count"]) for one in found} == {("t", 1)}


async def test_of_many_that_start_at_once_one_brings_the_store_forward(
    settings: Settings, store: Store
) -> None:
    await store.put("servers", "a", {"title": "t"})
    done = 0

    def counts(collection: str, body: Body) -> Body:
        nonlocal done
        done += collection == "servers"
        return named(collection, body)

    others = [await open_store(settings) for _ in range(3)]
    await asyncio.gather(
        *(bring_forward(other, {SCHEMA_VERSION: counts}, SCHEMA_VERSION + 1) for other in others)
    )
    for other in others:
        await other.close()
    assert done == 1


async def test_a_store_of_a_newer_version_is_refused_with_both_versions(
    settings: Settings, store: Store
) -> None:
    await store.put("meta", "schema", {"version": SCHEMA_VERSION + 98})
    with pytest.raises(StoreError, match=rf"version {SCHEMA_VERSION + 98}.*knows {SCHEMA_VERSION}"):
        await open_store(settings)
