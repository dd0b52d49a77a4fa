import asyncio

import httpx2
import pytest

from tests.unit.registry.conftest import ADMINS, World

pytestmark = pytest.mark.anyio
LAST = (409, "urn:gatepost:problem:last-administrator")
ALL_OF_IT = [{"actions": ["*"]}]


def outcome(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("type", "") if answer.content else ""


async def test_the_scope_that_makes_the_last_administrator_is_neither_deleted_nor_cut(world: World) -> None:
    deleted = await world.http.delete("/api/scopes/admins", headers=world.admin)
    assert outcome(deleted) == LAST
    assert "scopes:write" in deleted.json()["detail"]
    for cut in (
        {**ADMINS, "groups": ["others"]},
        {**ADMINS, "registry": [{"actions": ["*"], "servers": ["ledger"]}]},
        {**ADMINS, "registry": []},
    ):
        answer = await world.http.put("/api/scopes/admins", json=cut, headers=world.admin)
        assert outcome(answer) == LAST
    harmless = {**ADMINS, "groups": ["admins", "more"], "registry": [{"actions": ["scopes:write"]}]}
    kept = await world.http.put("/api/scopes/admins", json=harmless, headers=world.admin)
    assert kept.status_code == 200


async def test_with_another_administrator_who_can_log_in_it_may_go(world: World) -> None:
    await world.scope("operators", ["ops"], registry=ALL_OF_IT)
    assert outcome(await world.http.delete("/api/scopes/admins", headers=world.admin)) == LAST
    await world.person("gone-provider:bob", "ops")
    assert outcome(await world.http.delete("/api/scopes/admins", headers=world.admin)) == LAST
    await world.person("kc:bob", "ops")
    assert (await world.http.delete("/api/scopes/admins", headers=world.admin)).status_code == 204


async def test_a_mapping_that_makes_the_last_administrator_is_kept(world: World) -> None:
    at, query = "/api/group-mappings/kc", {"group": "chiefs"}
    await world.http.put(at, params=query, json={"groups": ["admins"]}, headers=world.admin)
    await world.person("kc:bob", "chiefs")
    await world.person("local:alice")
    for groups in ([], ["fin"]):
        answer = await world.http.put(at, params=query, json={"groups": groups}, headers=world.admin)
        assert outcome(answer) == LAST
    assert outcome(await world.http.delete(at, params=query, headers=world.admin)) == LAST
    await world.person("local:alice", "admins")
    assert (await world.http.delete(at, params=query, headers=world.admin)).status_code == 204


async def test_a_mapping_may_take_administration_by_name_from_nobody_else(world: World) -> None:
    await world.scope("operators", ["ops"], registry=ALL_OF_IT)
    await world.person("kc:bob", "ops")
    await world.person("local:alice")
    taken = await world.http.put(
        "/api/group-mappings/kc", params={"group": "ops"}, json={"groups": []}, headers=world.admin
    )
    assert outcome(taken) == LAST


async def test_where_nobody_administrates_any_change_is_let_through(world: World) -> None:
    await world.person("local:alice")
    assert (await world.http.delete("/api/scopes/admins", headers=world.admin)).status_code == 204


async def test_of_two_who_take_each_others_administration_at_once_on_two_registries_one_is_refused(
    world: World, second: httpx2.AsyncClient
) -> None:
    await world.scope("root", ["root"], registry=ALL_OF_IT)  # nobody is in it: only who calls
    caller = world.identity(["root"])
    await world.person("kc:bob", "ops")
    for _ in range(8):
        await world.scope("admins", ["admins"], registry=ALL_OF_IT)
        await world.scope("operators", ["ops"], registry=ALL_OF_IT)
        answers = await asyncio.gather(
            world.http.delete("/api/scopes/operators", headers=caller),
            second.delete("/api/scopes/admins", headers=caller),
        )
        assert sorted(answer.status_code for answer in answers) == [204, 409]
