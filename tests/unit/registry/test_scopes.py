from typing import Any

import pytest

from app.core.store import Page
from tests.unit.registry.conftest import World

pytestmark = pytest.mark.anyio
READERS = {
    "name": "readers",
    "groups": ["fin"],
    "servers": [{"server": "ledger", "methods": ["tools/list"], "tools": ["*"]}],
}


async def test_a_scope_is_made_read_replaced_and_deleted(world: World) -> None:
    await world.add("ledger")
    created = await world.http.post("/api/scopes", json=READERS, headers=world.admin)
    assert (created.status_code, created.json()["warnings"]) == (201, [])
    found = await world.http.get("/api/scopes/readers", headers=world.admin)
    assert found.headers["ETag"] == created.headers["ETag"]
    match = {**world.admin, "If-Match": found.headers["ETag"]}
    changed = {**found.json(), "description": "who reads"}
    assert (await world.http.put("/api/scopes/readers", json=changed, headers=match)).status_code == 200
    assert (await world.http.put("/api/scopes/readers", json=changed, headers=match)).status_code == 412
    assert (await world.http.delete("/api/scopes/readers", headers=match)).status_code == 412
    assert (await world.http.delete("/api/scopes/readers", headers=world.admin)).status_code == 204
    assert (await world.http.get("/api/scopes/readers", headers=world.admin)).status_code == 404


async def test_a_scope_may_name_what_is_not_there_and_is_warned_of_it(world: World) -> None:
    scope = {**READERS, "servers": [{"server": "nowhere", "methods": ["tools/lists"]}]}
    answer = await world.http.post("/api/scopes", json=scope, headers=world.admin)
    assert answer.status_code == 201
    warnings = answer.json()["warnings"]
    assert ["nowhere" in warnings[0], "tools/lists" in warnings[1], len(warnings)] == [True, True, 2]


async def test_a_taken_name_is_refused(world: World) -> None:
    await world.http.post("/api/scopes", json=READERS, headers=world.admin)
    again = await world.http.post("/api/scopes", json=READERS, headers=world.admin)
    assert (again.status_code, again.json()["type"]) == (409, "urn:gatepost:problem:scope-name-taken")


async def test_a_scope_that_is_not_valid_is_refused_by_field(world: World) -> None:
    scope = {**READERS, "servers": [{"server": "ledger"}]}
    answer = await world.http.post("/api/scopes", json=scope, headers=world.admin)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "servers.0.methods"


async def test_the_gateways_hear_of_every_server_a_scope_named_before_or_names_now(world: World) -> None:
    await world.http.post("/api/scopes", json=READERS, headers=world.admin)
    before = await world.store.latest_change()
    moved = {**READERS, "servers": [{"server": "vault", "methods": ["tools/list"]}]}
    await world.http.put("/api/scopes/readers", json=moved, headers=world.admin)
    changes = await world.store.changes(before)
    assert changes is not None
    assert {"/mcp/ledger", "/mcp/vault", "/api"} <= changes[0].affects


async def test_scopes_are_for_those_whose_scopes_say_so(world: World) -> None:
    reader = {"registry": [{"actions": ["scopes:read"]}]}
    await world.scope("auditors", ["audit"], **reader)
    auditor, nobody = world.identity(["audit"]), world.identity(["others"])
    assert (await world.http.get("/api/scopes", headers=auditor)).status_code == 200
    assert (await world.http.get("/api/scopes", headers=nobody)).status_code == 403
    assert (await world.http.post("/api/scopes", json=READERS, headers=auditor)).status_code == 403


async def test_a_new_scope_is_in_force_at_once(world: World) -> None:
    await world.add("ledger")
    caller = world.identity(["fin"])
    assert (await world.http.get("/api/servers/ledger", headers=caller)).status_code == 404
    await world.http.post("/api/scopes", json=READERS, headers=world.admin)
    assert (await world.http.get("/api/servers/ledger", headers=caller)).status_code == 200
    await world.http.delete("/api/scopes/readers", headers=world.admin)
    assert (await world.http.get("/api/servers/ledger", headers=caller)).status_code == 404


async def test_scopes_are_read_again_only_after_one_of_them_was_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, readings = world.store.list, list[str]()

    async def counted(collection: str, *args: Any, **more: Any) -> Page:
        readings.append(collection)
        return await read(collection, *args, **more)

    scopes = world.app.state.registry.scopes
    await scopes.current()
    monkeypatch.setattr(world.store, "list", counted)
    await world.store.commit("servers", "ledger", {})
    await scopes.current()
    assert "scopes" not in readings
    await world.scope("readers", ["fin"])
    assert "readers" in [scope.name for scope in await scopes.current()]
