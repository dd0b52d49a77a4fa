from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.core.models import ToolState
from app.core.settings import Settings
from app.core.store import Page, Store, open_store
from app.registry.catalogue.follower import Follower
from app.registry.catalogue.known import KnownServers
from app.registry.search.index import SearchIndex
from tests.mongodb.fixtures import Variables
from tests.unit.registry.search.samples import granted, reader, server, tool

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path: Path, backend: Variables) -> AsyncIterator[Store]:
    settings = Settings.from_environ({"GATEPOST_STATE_DIR": str(tmp_path), **backend})
    opened = await open_store(settings, kept_changes=3)
    yield opened
    await opened.close()


@pytest.fixture
def index() -> SearchIndex:
    return SearchIndex()


def names(index: SearchIndex, query: str) -> set[str]:
    return {hit.found.name for hit in index.search(query, granted(reader()), ["tool", "server"], 100)}


@pytest.fixture
def servers() -> KnownServers:
    return KnownServers(Settings.from_environ({}))


async def register(store: Store, slug: str) -> None:
    await store.commit("servers", slug, server(slug).model_dump(mode="json"))


async def discover(store: Store, slug: str, *tools: str) -> None:
    """What another process's discovery writes: tools first, then the server's health."""
    for name in tools:
        record = tool(slug, name)
        await store.put("tools", record.id, record.model_dump(mode="json"))
    await store.put("health", slug, {"server": slug, "state": "healthy"})


async def test_what_is_in_the_store_already_is_found(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    await register(store, "ledger")
    await discover(store, "ledger", "get_balance")
    await Follower(store, servers, index).catch_up()
    assert names(index, "ledger balance") == {"ledger", "get_balance"}


async def test_a_change_by_another_process_is_found_and_a_deletion_is_gone(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    follower = Follower(store, servers, index)
    await follower.catch_up()
    await register(store, "ledger")
    await follower.catch_up()
    assert names(index, "ledger") == {"ledger"}
    await store.commit("servers", "ledger", None)
    await follower.catch_up()
    assert names(index, "ledger") == set()


async def test_what_another_process_discovered_is_found_at_the_next_look(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    follower = Follower(store, servers, index)
    await register(store, "ledger")
    await follower.look()
    await discover(store, "ledger", "get_balance")
    await follower.look()
    assert names(index, "balance") == {"get_balance"}
    await discover(store, "ledger", "post_entry")
    await follower.look()
    assert names(index, "balance entry") == {"get_balance", "post_entry"}


async def test_a_server_made_anew_under_the_same_slug_shows_its_new_tools(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    follower = Follower(store, servers, index)
    await register(store, "ledger")
    await discover(store, "ledger", "get_balance")
    await follower.look()
    await store.commit("servers", "ledger", None)
    await store.delete("tools", "ledger/tool/get_balance")
    await store.delete("health", "ledger")
    await register(store, "ledger")
    await discover(store, "ledger", "post_entry")
    await follower.look()
    assert names(index, "balance entry") == {"post_entry"}


async def test_a_tool_that_is_blocked_is_no_longer_found(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    await register(store, "ledger")
    await discover(store, "ledger", "get_balance")
    follower = Follower(store, servers, index)
    await follower.catch_up()
    blocked = tool("ledger", "get_balance", state=ToolState.BLOCKED)
    await store.commit("tools", blocked.id, blocked.model_dump(mode="json"))
    await follower.catch_up()
    assert names(index, "balance") == set()


async def test_changes_that_the_store_forgot_are_made_up_for_by_reading_all(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    follower = Follower(store, servers, index)
    await register(store, "old")
    await follower.catch_up()
    await store.commit("servers", "old", None)
    for slug in ("one", "two", "three", "four"):
        await register(store, slug)
    await follower.catch_up()
    assert names(index, "old one two three four") == {"one", "two", "three", "four"}


async def test_an_unreadable_document_hides_itself_alone(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    await store.commit("servers", "broken", {"document": 7})
    await register(store, "ledger")
    await Follower(store, servers, index).catch_up()
    assert names(index, "broken ledger") == {"ledger"}


async def look_at(store: Store, slug: str, state: str, checked_at: str = "10:00") -> None:
    """What another process's look that found news, or (`unknown`) none but the time, writes."""
    body = {"server": slug, "state": state, "checked_at": checked_at}
    await (store.put if state == "unknown" else store.commit)("health", slug, body)


async def test_news_of_health_is_known_at_once_and_the_time_of_a_look_at_the_next_look(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    follower = Follower(store, servers, index)
    await register(store, "ledger")
    await follower.look()
    await look_at(store, "ledger", "unknown", "10:01")
    await follower.look()
    assert servers.health("ledger").checked_at == "10:01"
    await look_at(store, "ledger", "unreachable", "10:02")
    await follower.catch_up()
    assert (servers.health("ledger").state, servers.health("ledger").checked_at) == ("unreachable", "10:02")


async def test_a_look_in_this_process_is_not_undone_by_an_older_reading(
    store: Store, servers: KnownServers, index: SearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(store, servers, index)
    await register(store, "ledger")
    await look_at(store, "ledger", "unknown", "10:00")
    read = store.list

    async def then_looked_at(collection: str, *args: Any, **more: Any) -> Page:
        page = await read(collection, *args, **more)
        if collection == "health":
            body = {"server": "ledger", "checked_at": "10:01"}
            await follower.discovered(await store.put("health", "ledger", body))
        return page

    await follower.catch_up()
    await look_at(store, "ledger", "unknown", "10:00")
    monkeypatch.setattr(store, "list", then_looked_at)
    await follower.look()
    assert servers.health("ledger").checked_at == "10:01"


async def test_a_server_made_anew_does_not_have_the_health_of_the_old_one(
    store: Store, servers: KnownServers, index: SearchIndex
) -> None:
    follower = Follower(store, servers, index)
    await register(store, "ledger")
    await look_at(store, "ledger", "healthy")
    await follower.catch_up()
    await store.commit("servers", "ledger", None)
    await store.delete("health", "ledger")
    await register(store, "ledger")
    await follower.catch_up()
    assert servers.health("ledger").state == "unknown"
