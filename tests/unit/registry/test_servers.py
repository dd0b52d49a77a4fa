import asyncio
from typing import Any

import pytest

from tests.unit.registry.conftest import World, document

pytestmark = pytest.mark.anyio
META = "dev.gatepost/server"


async def test_a_server_comes_back_as_it_was_given_with_the_findings_beside_it(world: World) -> None:
    given = {**document("ledger"), "title": "Ledger", "x-extra": {"kept": [1, None]}}
    created = await world.http.post("/api/servers", json=given, headers=world.admin)
    assert created.status_code == 201
    assert created.headers["Location"] == "/api/servers/ledger"
    found = await world.http.get("/api/servers/ledger", headers=world.admin)
    server = found.json()["server"]
    assert server.pop("_meta")[META]["slug"] == "ledger"
    assert server == given
    gatepost = found.json()["gatepost"]
    assert (gatepost["slug"], gatepost["enabled"], gatepost["tools"]) == ("ledger", True, 0)
    assert gatepost["url"] == f"{world.settings.public_url}/mcp/ledger"
    assert found.headers["ETag"] == created.headers["ETag"] == f'"{gatepost["revision"]}"'


async def test_the_slug_comes_from_the_last_part_of_the_name(world: World) -> None:
    given = {**document("x"), "name": "com.example/My_Server.v2"}
    answer = await world.http.post("/api/servers", json=given, headers=world.admin)
    assert answer.json()["gatepost"]["slug"] == "my-server-v2"


async def test_a_taken_slug_is_refused_by_name(world: World) -> None:
    await world.add("ledger")
    answer = await world.http.post("/api/servers", json=document("ledger"), headers=world.admin)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:gatepost:problem:slug-taken"
    assert "ledger" in answer.json()["detail"]


async def test_of_many_that_register_one_slug_one_succeeds(world: World) -> None:
    posts = [world.http.post("/api/servers", json=document("one"), headers=world.admin) for _ in range(8)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*posts))
    assert statuses == [201] + [409] * 7


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "no-slash"}, "name"),
        ({"name": "com.example/ledger\n"}, "name"),
        ({"description": "x" * 101}, "description"),
        ({"version": "^1.2"}, "version"),
        ({"version": None}, "version"),
        ({"remotes": [{"type": "streamable-http"}]}, "remotes.0.url"),
        ({"remotes": [{"type": "carrier-pigeon", "url": "http://127.0.0.1/"}]}, "remotes.0.type"),
        ({"remotes": [{"type": "streamable-http", "url": "not a url"}]}, "remotes.0.url"),
        ({"remotes": [{"type": "streamable-http", "url": "ftp://127.0.0.1/"}]}, "remotes.0.url"),
        ({"remotes": [{"type": "streamable-http", "url": "http://127.0.0.1:99999/"}]}, "remotes.0.url"),
        ({"remotes": [{"type": "sse", "url": "https://{host}/sse"}]}, "remotes.0.url"),
        ({"remotes": [{"type": "streamable-http", "url": "https://[::1]:9/mcp"}]}, "remotes.0.url"),
        ({"remotes": [{"type": "streamable-http", "url": "https://8.8.8.8/mcp"}]}, "remotes.0.url"),
        ({"_meta": {META: {"concurrency": 0}}}, f"_meta.{META}.concurrency"),
        ({"_meta": {META: {"connect_timeout_s": 600}}}, f"_meta.{META}.connect_timeout_s"),
        ({"packages": [{"registryType": "npm", "identifier": "x"}]}, "packages.0.transport"),
        (
            {"packages": [{"registryType": "mcpb", "identifier": "x", "transport": {"type": "stdio"}}]},
            "packages.0.fileSha256",
        ),
        ({"_meta": {META: {"slug": "Not A Slug"}}}, f"_meta.{META}.slug"),
        ({"_meta": {META: {"slug": "registry"}}}, f"_meta.{META}.slug"),
        ({"_meta": {META: {"colour": "blue"}}}, f"_meta.{META}.colour"),
        ({"_meta": {META: []}}, f"_meta.{META}"),
    ],
)
async def test_a_server_json_that_is_not_valid_is_refused_by_field(
    world: World, change: dict[str, Any], field: str
) -> None:
    answer = await world.http.post("/api/servers", json={**document("ledger"), **change}, headers=world.admin)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert field in answer.json()["detail"]


@pytest.mark.parametrize(
    "value", [r'"\ud800"', r'"\u0000"', "NaN", "1e999", str(2**64), "[" * 200 + "]" * 200]
)
async def test_json_that_would_break_a_list_is_refused(world: World, value: str) -> None:
    body = f'{{"name": "a/b", "description": "x", "version": "1", "extra": {value}}}'
    headers = {**world.admin, "Content-Type": "application/json"}
    answer = await world.http.post("/api/servers", content=body, headers=headers)
    assert answer.status_code == 422
    assert (await world.http.get("/api/servers", headers=world.admin)).json()["items"] == []


async def test_a_body_that_would_hold_up_others_is_refused(world: World) -> None:
    long = {**document("ledger"), "x": "y" * 300_000}
    many = {**document("ledger"), "remotes": [{"type": "sse"}] * 1_000}
    answers = [await world.http.post("/api/servers", json=body, headers=world.admin) for body in (long, many)]
    assert [answer.status_code for answer in answers] == [413, 422]
    assert len(answers[1].json()["errors"]) == 20


async def test_a_missing_field_is_named(world: World) -> None:
    given = document("ledger")
    del given["version"]
    answer = await world.http.post("/api/servers", json=given, headers=world.admin)
    assert answer.json()["errors"] == [{"field": "version", "reason": "it is missing"}]


async def test_an_address_that_is_not_allowed_is_refused_with_the_setting(world: World) -> None:
    answer = await world.http.post(
        "/api/servers", json=document("inside", "http://10.1.2.3/mcp"), headers=world.admin
    )
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:gatepost:problem:upstream-refused"
    assert "GATEPOST_UPSTREAM_NETWORKS" in answer.json()["detail"]


async def test_a_name_without_an_address_now_is_accepted(world: World) -> None:
    await world.add("later", "https://gatepost-test.invalid/mcp")
    health = (await world.get("/api/servers/later"))["gatepost"]["health"]
    assert health["state"] == "unreachable"
    assert "gatepost-test.invalid" in health["reason"]


async def test_who_sees_nothing_of_a_server_gets_the_404_of_one_that_is_not_there(world: World) -> None:
    await world.add("ledger")
    nobody = world.identity(["others"])
    hidden = await world.http.get("/api/servers/ledger", headers=nobody)
    missing = await world.http.get("/api/servers/missing", headers=nobody)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.replace("ledger", "missing") == missing.text
    assert (await world.http.delete("/api/servers/ledger", headers=nobody)).status_code == 404


async def test_who_may_use_a_server_sees_it_and_may_not_change_it(world: World) -> None:
    await world.add("ledger")
    grant = {"server": "ledger", "methods": ["tools/call"], "tools": ["get_balance"]}
    await world.scope("users", ["fin"], servers=[grant])
    user = world.identity(["fin"])
    assert (await world.http.get("/api/servers/ledger", headers=user)).status_code == 200
    changes = [
        world.http.put("/api/servers/ledger", json=document("ledger"), headers=user),
        world.http.delete("/api/servers/ledger", headers=user),
        world.http.post("/api/servers/ledger/refresh", headers=user),
        world.http.post("/api/servers/ledger/disable", headers=user),
        world.http.put("/api/servers/ledger/credential", json={"bearer": "x"}, headers=user),
        world.http.post("/api/servers", json=document("another"), headers=user),
    ]
    assert [(await change).status_code for change in changes] == [403] * 6


async def test_pages_hold_what_the_caller_sees_and_their_cursors_tell_no_more(world: World) -> None:
    for slug in ("a", "b", "c", "d", "e"):
        await world.add(slug)
    grants = [{"server": slug, "methods": ["tools/list"], "tools": ["*"]} for slug in ("a", "c", "e", "gone")]
    nothing = {"server": "b", "methods": ["no/such"], "tools": ["*"]}
    await world.scope("some", ["some"], servers=[*grants, nothing])
    assert await slugs(world, world.admin) == [["a", "b"], ["c", "d"], ["e"]]
    assert await slugs(world, world.identity(["some"])) == [["a", "c"], ["e"]]
    assert await slugs(world, world.identity(["none"])) == [[]]


async def test_scopes_that_name_servers_which_are_gone_hide_no_others(world: World) -> None:
    for slug in ("a", "f"):
        await world.add(slug)
    grants = [{"server": slug, "methods": ["tools/list"]} for slug in ("a", "b", "c", "d", "e", "f")]
    await world.scope("some", ["some"], servers=grants)
    assert await slugs(world, world.identity(["some"])) == [["a", "f"]]


async def slugs(world: World, caller: dict[str, str]) -> list[list[str]]:
    pages, cursor = [], ""
    while True:
        answer = (await world.http.get(f"/api/servers?limit=2{cursor}", headers=caller)).json()
        pages.append([item["gatepost"]["slug"] for item in answer["items"]])
        if answer["next_cursor"] is None:
            return pages
        cursor = f"&cursor={answer['next_cursor']}"


async def test_a_change_for_an_older_revision_is_refused(world: World) -> None:
    created = await world.add("ledger")
    old = {**world.admin, "If-Match": created.headers["ETag"]}
    changed = {**document("ledger"), "title": "Second"}
    first = await world.http.put("/api/servers/ledger", json=changed, headers=old)
    again = await world.http.put("/api/servers/ledger", json=changed, headers=old)
    assert (first.status_code, again.status_code) == (200, 412)
    assert (await world.http.delete("/api/servers/ledger", headers=old)).status_code == 412
    new = {**world.admin, "If-Match": f'"zzz", {first.headers["ETag"]}'}
    assert (await world.http.delete("/api/servers/ledger", headers=new)).status_code == 204
    assert (await world.http.get("/api/servers/ledger", headers=world.admin)).status_code == 404


async def test_a_slug_cannot_be_changed(world: World) -> None:
    await world.add("ledger")
    moved = {**document("ledger"), "_meta": {META: {"slug": "other"}}}
    answer = await world.http.put("/api/servers/ledger", json=moved, headers=world.admin)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == f"_meta.{META}.slug"


async def test_disable_and_enable_tell_the_gateways(world: World) -> None:
    await world.add("ledger")
    before = await world.store.latest_change()
    for action, enabled in (("disable", False), ("enable", True)):
        answer = await world.http.post(f"/api/servers/ledger/{action}", headers=world.admin)
        assert answer.json()["gatepost"]["enabled"] is enabled
    changes = await world.store.changes(before)
    assert changes is not None
    assert [change.affects for change in changes] == [frozenset({"/mcp/ledger"})] * 2


async def test_a_deleted_server_leaves_nothing_behind(world: World) -> None:
    await world.add("ledger")
    await world.http.put("/api/servers/ledger/credential", json={"bearer": "x"}, headers=world.admin)
    await world.http.delete("/api/servers/ledger", headers=world.admin)
    for collection in ("servers", "credentials", "health"):
        assert await world.store.get(collection, "ledger") is None
    assert (await world.store.list("tools", {"server": "ledger"})).items == []
