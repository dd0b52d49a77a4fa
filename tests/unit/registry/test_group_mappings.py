import pytest

from tests.unit.registry.conftest import World

pytestmark = pytest.mark.anyio
AT = "/api/group-mappings/kc"
ODD = "/Finanz Abteilung/ä & b=c#%2F?+"


async def test_a_mapping_is_made_read_replaced_listed_and_deleted(world: World) -> None:
    query = {"group": ODD}
    made = await world.http.put(AT, params=query, json={"groups": ["fin", "fin"]}, headers=world.admin)
    assert made.status_code == 200
    assert made.json() == {
        "provider": "kc",
        "group": ODD,
        "groups": ["fin"],
        "warnings": ["no scope is for the group fin"],
    }
    found = await world.http.get(AT, params=query, headers=world.admin)
    assert found.headers["ETag"] == made.headers["ETag"]
    match = {**world.admin, "If-Match": found.headers["ETag"]}
    wider = {"groups": ["admins", "fin"]}
    assert (await world.http.put(AT, params=query, json=wider, headers=match)).status_code == 200
    assert (await world.http.put(AT, params=query, json=wider, headers=match)).status_code == 412
    assert (await world.http.delete(AT, params=query, headers=match)).status_code == 412
    listed = (await world.get("/api/group-mappings"))["items"]
    assert listed == [{"provider": "kc", "group": ODD, "groups": ["admins", "fin"]}]
    assert (await world.get("/api/group-mappings?provider=other"))["items"] == []
    assert (await world.http.delete(AT, params=query, headers=world.admin)).status_code == 204
    assert (await world.http.get(AT, params=query, headers=world.admin)).status_code == 404
    assert (await world.http.put(AT, params=query, json=wider, headers=match)).status_code == 412


async def test_a_mapping_is_decided_anew_everywhere(world: World) -> None:
    before = await world.store.latest_change()
    await world.http.put(AT, params={"group": "g"}, json={"groups": []}, headers=world.admin)
    changes = await world.store.changes(before)
    assert changes is not None
    assert (changes[0].id, changes[0].affects) == ("kc:g", {"*"})


async def test_a_provider_that_is_not_there_is_warned_of_and_local_groups_are_not_mapped(
    world: World,
) -> None:
    path, body = "/api/group-mappings/{}?group=g", {"groups": ["admins"]}
    unknown = await world.http.put(path.format("okta"), json=body, headers=world.admin)
    assert unknown.json()["warnings"] == ["no identity provider is called okta; there are kc, local"]
    local = await world.http.put(path.format("local"), json=body, headers=world.admin)
    assert (local.status_code, local.json()["type"]) == (422, "urn:gatepost:problem:invalid-mapping")


@pytest.mark.parametrize("groups", [["*"], [""], ["a\n"], None])
async def test_what_is_no_group_of_ours_is_refused(world: World, groups: object) -> None:
    answer = await world.http.put(AT, params={"group": "g"}, json={"groups": groups}, headers=world.admin)
    assert answer.status_code == 422


async def test_mappings_are_for_those_whose_scopes_say_so(world: World) -> None:
    await world.scope("auditors", ["audit"], registry=[{"actions": ["groups:read"]}])
    auditor, nobody = world.identity(["audit"]), world.identity([])
    assert (await world.http.get("/api/group-mappings", headers=auditor)).status_code == 200
    assert (await world.http.get("/api/group-mappings", headers=nobody)).status_code == 403
    for method in ("PUT", "DELETE"):
        body = {"groups": []} if method == "PUT" else None
        answer = await world.http.request(method, AT, params={"group": "g"}, json=body, headers=auditor)
        assert answer.status_code == 403
