"""What every store must do to give away all it has, and to take it from another."""

import time

from app.core.store import Store, Stored
from tests.contract.store import PAST


async def test_what_was_dumped_can_be_loaded_with_its_revision_and_expiry(store: Store) -> None:
    ends = int(time.time()) * 1000 + 60_123
    await store.put("things", "a", {"n": 1})
    await store.put("things", "a", {"text": "ä\ud800", "big": 10**30, "$ref": {"a.b": []}})
    await store.put("things", "b", {}, expires_at=ends / 1000)
    found = await store.dump("things", None, 10)
    assert [(one.id, one.revision, one.expires_at) for one in found] == [("a", 2, None), ("b", 1, ends)]
    await store.load("others", found)
    assert await store.dump("others", None, 10) == found
    written = await store.put("others", "a", {}, expected=2)
    assert written.revision == 3


async def test_a_dump_goes_on_after_an_id_and_leaves_out_what_has_expired(store: Store) -> None:
    for id in "dbca":
        await store.put("things", id, {}, expires_at=PAST if id == "c" else None)
    assert [one.id for one in await store.dump("things", "a", 1)] == ["b"]
    assert [one.id for one in await store.dump("things", "b", 10)] == ["d"]


async def test_loading_writes_over_what_is_there_and_is_no_change(store: Store) -> None:
    await store.commit("servers", "a", {"n": 1})
    loaded = [Stored("a", 7, {"n": 2}, None)]
    await store.load("servers", loaded)
    await store.load("servers", loaded)
    found = await store.get("servers", "a")
    assert found is not None
    assert (found.revision, found.body, await store.latest_change()) == (7, {"n": 2}, 1)
    assert (await store.commit("servers", "a", {"n": 3}, expected=7)) is not None


async def test_a_store_names_its_collections_and_not_what_it_keeps_for_itself(store: Store) -> None:
    await store.commit("servers", "a", {})
    await store.put("health", "a", {})
    await store.acquire("job", "me", 60)
    assert {"servers", "health"} <= set(await store.collections())
    assert not {"changes", "leases"} & set(await store.collections())


async def test_who_followed_the_changes_of_another_store_reads_everything_anew(store: Store) -> None:
    await store.restart_changes(7)
    await store.restart_changes(7)
    assert await store.latest_change() == 8
    assert (await store.changes(3), await store.changes(8)) == (None, [])
    changes = await store.changes(7)
    assert changes is not None
    assert [(change.number, change.affects) for change in changes] == [(8, frozenset({"*"}))]
    await store.commit("servers", "a", {})
    assert await store.latest_change() == 9


async def test_an_order_of_changes_that_has_begun_is_not_restarted(store: Store) -> None:
    await store.commit("servers", "a", {})
    await store.restart_changes(7)
    assert await store.latest_change() == 1
