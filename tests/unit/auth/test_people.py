import asyncio
from typing import Any

import pytest

from app.auth.providers.base import Person

pytestmark = pytest.mark.anyio


def alice(*groups: str) -> Person:
    return Person("corp:alice", "corp", list(groups), "Alice", "alice@example.com")


async def test_a_person_is_found_as_recorded_last(world: Any) -> None:
    await world.parts.people.record(alice("fin"))
    await world.parts.people.record(alice("fin", "ops"))
    found = await world.parts.people.find("corp:alice")
    assert (found.groups, found.name) == (["fin", "ops"], "Alice")


async def test_a_change_of_groups_is_a_change_for_the_gateways(world: Any) -> None:
    await world.parts.people.record(alice("fin", "ops"))
    before = await world.parts.store.latest_change()
    await world.parts.people.record(alice("ops"))
    changes = await world.parts.store.changes(before)
    assert [change.affects for change in changes] == [{"principal:corp:alice"}]


async def test_two_that_record_a_person_at_once_both_end_well(world: Any) -> None:
    await asyncio.gather(*(world.parts.people.record(alice(f"g{n}")) for n in range(8)))
    stored = await world.parts.store.get("people", "corp:alice")
    changes = [change for change in await world.parts.store.changes(0) if change.id == "corp:alice"]
    assert len(changes) == 8
    assert changes[-1].document.body == stored.body


async def test_a_login_that_changes_no_group_changes_no_policy(world: Any) -> None:
    await world.parts.people.record(alice("fin", "ops"))
    before = await world.parts.store.latest_change()
    await world.parts.people.record(alice("ops", "fin"))
    assert await world.parts.store.latest_change() == before


async def test_a_personal_token_loses_what_its_owner_loses(world: Any) -> None:
    await world.server("ledger")
    await world.scope("readers", ["fin"], "ledger", ["get"])
    token = await world.token(["fin"])
    assert (await world.verdict(token, "/mcp/ledger"))["caller"]["rights"]
    await world.parts.people.record(Person("local:alice", "local", []))
    assert (await world.verdict(token, "/mcp/ledger"))["caller"]["rights"] == {}


async def test_a_mapping_of_groups_decides_what_a_person_of_another_provider_may_do(world: Any) -> None:
    await world.server("ledger")
    await world.scope("readers", ["finance"], "ledger", ["get"])
    token = await world.token(["fin"])
    await world.parts.people.record(Person("local:alice", "corp", ["0a1b"]))
    assert (await world.verdict(token, "/mcp/ledger"))["caller"]["rights"] == {}
    mapping = {"provider": "corp", "group": "0a1b", "groups": ["finance"]}
    await world.parts.store.commit("group_mappings", "corp:0a1b", mapping, affects={"*"})
    assert (await world.verdict(token, "/mcp/ledger"))["caller"]["rights"]
