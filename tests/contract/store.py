"""What every store must do. A module of tests imports all of this and gives one fixture:

`open_another`: a coroutine function that opens one more handle to the same data, as another process would.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.core.store import ABSENT, Conflict, Store

OpenAnother = Callable[[], Awaitable[Store]]
PAST = 1.0
pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(open_another: OpenAnother) -> AsyncIterator[Store]:
    opened = await open_another()
    yield opened
    await opened.close()


@pytest.fixture
async def other(open_another: OpenAnother) -> AsyncIterator[Store]:
    opened = await open_another()
    yield opened
    await opened.close()


async def ids(store: Store, collection: str, where: dict[str, str | int | bool | None]) -> list[str]:
    return [found.id for found in (await store.list(collection, where)).items]


async def test_what_is_put_can_be_got_by_every_process(store: Store, other: Store) -> None:
    body = {"text": "ä\u0000\U0001f600", "number": 1.5, "list": [1, None, True], "nested": {"a.b": {}}}
    await store.put("things", "a/b ü", body)
    found = await other.get("things", "a/b ü")
    assert found is not None
    assert found.body == body


async def test_an_absent_document_is_none(store: Store) -> None:
    assert await store.get("things", "nobody") is None


async def test_collections_are_apart(store: Store) -> None:
    await store.put("things", "a", {})
    assert await store.get("others", "a") is None


async def test_a_revision_starts_at_one_and_grows_by_one(store: Store) -> None:
    revisions = [(await store.put("things", "a", {"n": n})).revision for n in range(3)]
    assert revisions == [1, 2, 3]


async def test_creating_what_is_there_is_a_conflict_and_changes_nothing(store: Store) -> None:
    await store.put("things", "a", {"n": 1}, expected=ABSENT)
    with pytest.raises(Conflict, match="things/a"):
        await store.put("things", "a", {"n": 2}, expected=ABSENT)
    found = await store.get("things", "a")
    assert found is not None
    assert found.body == {"n": 1}


async def test_a_write_with_an_old_revision_is_a_conflict(store: Store, other: Store) -> None:
    first = await store.put("things", "a", {})
    await other.put("things", "a", {}, expected=first.revision)
    with pytest.raises(Conflict):
        await store.put("things", "a", {}, expected=first.revision)
    with pytest.raises(Conflict):
        await store.delete("things", "a", expected=first.revision)
    with pytest.raises(Conflict):
        await store.commit("things", "a", {}, expected=first.revision)
    assert await store.latest_change() == 0


async def test_a_write_to_what_is_gone_is_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.put("things", "a", {}, expected=1)


async def test_of_two_processes_with_one_revision_one_writes(store: Store, other: Store) -> None:
    await store.put("things", "a", {"n": 0})
    lost = 0

    async def add_ten(handle: Store) -> None:
        nonlocal lost
        done = 0
        while done < 10:
            found = await handle.get("things", "a")
            assert found is not None
            try:
                await handle.put("things", "a", {"n": found.body["n"] + 1}, expected=found.revision)
                done += 1
            except Conflict:
                lost += 1

    await asyncio.gather(*(add_ten(handle) for handle in (store, other, store, other)))
    found = await store.get("things", "a")
    assert found is not None
    assert (found.body, found.revision) == ({"n": 40}, 41)
    assert lost > 0


async def test_deleting_says_whether_there_was_something(store: Store) -> None:
    await store.put("things", "a", {})
    assert await store.delete("things", "a") is True
    assert await store.get("things", "a") is None
    assert await store.delete("things", "a") is False


async def test_a_list_is_in_the_order_of_ids(store: Store) -> None:
    for id in ("b", "a/2", "ü", "a", "A", "a-1"):
        await store.put("things", id, {})
    assert await ids(store, "things", {}) == ["A", "a", "a-1", "a/2", "b", "ü"]


async def test_pages_are_stable_while_others_write(store: Store, other: Store) -> None:
    for n in range(7):
        await store.put("things", f"{n:02}", {})
    seen: list[str] = []
    cursor = None
    while True:
        page = await store.list("things", limit=3, cursor=cursor)
        seen += [found.id for found in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        await other.put("things", "000", {})
        await other.delete("things", seen[0])
    assert seen == [f"{n:02}" for n in range(7)]


async def test_a_last_page_that_is_full_has_no_cursor(store: Store) -> None:
    for id in "abcd":
        await store.put("things", id, {})
    first = await store.list("things", limit=2)
    second = await store.list("things", limit=2, cursor=first.next_cursor)
    assert first.next_cursor is not None
    assert ([found.id for found in second.items], second.next_cursor) == (["c", "d"], None)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"value": "1"}, ["text"]),
        ({"value": 1}, ["number"]),
        ({"value": True}, ["yes"]),
        ({"value": False}, ["no"]),
        ({"value": None}, ["absent", "null"]),
        ({"value": '["1"]'}, []),
        ({"value": 1, "kind": "k"}, ["number"]),
        ({"value": 1, "kind": "other"}, []),
        ({"value": "' OR 1=1 --"}, []),
    ],
)
async def test_a_filter_compares_values_with_their_types(
    store: Store, where: dict[str, str | int | bool | None], expected: list[str]
) -> None:
    values = {"text": "1", "number": 1, "yes": True, "no": False, "null": None, "array": ["1"]}
    for id, value in values.items():
        await store.put("things", id, {"value": value, "kind": "k"})
    await store.put("things", "absent", {"kind": "k"})
    assert await ids(store, "things", where) == expected


@pytest.mark.parametrize("member", ["a.b", "a'", "", "$", "a b", "a]", '"a"', "é", "a\n"])
async def test_a_filter_on_no_name_of_a_member_is_refused(store: Store, member: str) -> None:
    with pytest.raises(ValueError, match="member"):
        await store.list("things", {member: 1})


async def test_an_expired_document_is_gone_for_every_reader(store: Store) -> None:
    await store.put("things", "a", {"n": 1}, expires_at=PAST)
    assert await store.get("things", "a") is None
    assert await ids(store, "things", {"n": 1}) == []
    assert await store.take("things", "a") is None
    assert await store.delete("things", "a") is False


async def test_an_expired_document_can_be_created_again(store: Store) -> None:
    await store.put("things", "a", {}, expires_at=PAST)
    await store.put("things", "a", {}, expires_at=PAST)
    assert (await store.put("things", "a", {"n": 2}, expected=ABSENT)).revision == 1
    assert await store.get("things", "a") is not None


async def test_a_document_lives_until_it_expires(store: Store) -> None:
    end = time.time() + 0.3
    await store.put("things", "a", {}, expires_at=end)
    while (found := await store.get("things", "a")) or time.time() < end:
        assert found is not None or time.time() >= end - 0.05
        assert time.time() < end + 5
        await asyncio.sleep(0.02)


async def test_many_are_written_at_once_and_those_that_are_there_stay_as_they_are(
    store: Store, other: Store
) -> None:
    await store.put("things", "b", {"n": 0})
    assert await store.put_new("things", {id: {"n": 1} for id in "abc"}) == 2
    assert await other.put_new("things", {id: {"n": 2} for id in "abcd"}) == 1
    found = [(document.id, document.body["n"]) for document in (await store.list("things")).items]
    assert found == [("a", 1), ("b", 0), ("c", 1), ("d", 2)]
    assert await store.put_new("things", {}) == 0


async def test_many_may_take_the_place_of_expired_ones_and_expire_themselves(store: Store) -> None:
    await store.put("things", "a", {"n": 1}, expires_at=PAST)
    assert await store.put_new("things", {"a": {"n": 2}}, expires_at=time.time() + 60) == 1
    assert await store.put_new("things", {"a": {"n": 3}, "b": {}}, expires_at=PAST) == 1
    found = (await store.list("things")).items
    assert [(document.revision, document.body) for document in found] == [(1, {"n": 2})]


async def test_the_same_many_from_several_processes_are_written_once(store: Store, other: Store) -> None:
    bodies = {f"{n:03}": {"n": n} for n in range(300)}
    written = await asyncio.gather(*(handle.put_new("things", bodies) for handle in (store, other) * 4))
    assert sum(written) == 300


async def test_a_commit_is_numbered_and_carries_the_document(store: Store, other: Store) -> None:
    written = await store.commit("servers", "a", {"n": 1}, affects=["/mcp/a", "*", "/mcp/a"])
    await store.commit("servers", "a", None, affects=["/mcp/a"])
    changes = await other.changes(0)
    assert changes is not None
    first, second = changes
    assert (first.number, first.collection, first.id, first.document) == (1, "servers", "a", written)
    assert first.affects == {"/mcp/a", "*"}
    assert (second.number, second.document, second.affects) == (2, None, frozenset({"/mcp/a"}))
    assert await other.latest_change() == 2


async def test_a_commit_is_there_for_readers(store: Store, other: Store) -> None:
    await store.commit("servers", "a", {"n": 1})
    found = await other.get("servers", "a")
    assert found is not None
    assert found.body == {"n": 1}


async def test_puts_and_vain_deletions_are_no_changes(store: Store) -> None:
    await store.put("health", "a", {})
    await store.delete("health", "a")
    assert await store.commit("servers", "nobody", None) is None
    assert await store.latest_change() == 0


async def test_a_body_that_is_no_json_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        await store.commit("servers", "a", {"n": float("nan")})
    assert await store.get("servers", "a") is None
    assert await store.latest_change() == 0


async def test_changes_after_a_number_come_oldest_first_and_in_parts(store: Store) -> None:
    for n in range(5):
        await store.commit("servers", str(n), {})
    changes = await store.changes(1, limit=2)
    assert [change.number for change in changes or []] == [2, 3]
    assert await store.changes(5) == []


async def test_two_processes_that_commit_at_once_leave_no_gap(store: Store, other: Store) -> None:
    seen: list[int] = []

    async def commit(handle: Store, name: str) -> None:
        for n in range(15):
            await handle.commit("servers", f"{name}-{n}", {}, affects=["*"])

    async def follow() -> None:
        deadline = time.monotonic() + 30
        while len(seen) < 60 and time.monotonic() < deadline:
            changes = await other.changes(seen[-1] if seen else 0)
            assert changes is not None
            seen.extend(change.number for change in changes)
            await asyncio.sleep(0)

    await asyncio.gather(
        follow(), *(commit(handle, f"p{n}") for n, handle in enumerate((store, other, store, other)))
    )
    assert seen == list(range(1, 61))


async def test_changes_from_a_place_never_reached_are_unknown(store: Store) -> None:
    assert await store.changes(0) == []
    assert await store.changes(7) is None


async def test_one_of_many_takers_gets_a_document(store: Store, other: Store) -> None:
    await store.put("codes", "a", {"n": 1})
    taken = await asyncio.gather(*(handle.take("codes", "a") for handle in (store, other) * 10))
    assert [found.body for found in taken if found] == [{"n": 1}]
    assert await store.get("codes", "a") is None


async def test_everything_is_there_after_a_restart(open_another: OpenAnother) -> None:
    before = await open_another()
    await before.put("things", "a", {"n": 1})
    await before.commit("servers", "a", {"n": 2}, affects=["/mcp/a"])
    await before.acquire("job", "me", 60)
    await before.close()
    after = await open_another()
    assert await ids(after, "things", {"n": 1}) == ["a"]
    assert [change.affects for change in await after.changes(0) or []] == [{"/mcp/a"}]
    assert not await after.acquire("job", "you", 60)
    await after.close()


async def test_a_caller_that_gives_up_leaves_a_commit_whole(open_another: OpenAnother, store: Store) -> None:
    left = await open_another()
    for n in range(20):
        task = asyncio.create_task(left.commit("servers", str(n), {}, affects=["*"]))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await left.close()
    documents = {found.id for found in (await store.list("servers")).items}
    changed = {change.id for change in await store.changes(0) or []}
    assert documents == changed
