import pytest

from app.registry.tools.repository import ToolRepository
from tests.unit.registry.conftest import World
from tests.unit.registry.upstreams import paged, toolbox, upstream

pytestmark = pytest.mark.anyio


async def test_a_block_is_told_to_the_gateways_and_can_be_undone(world: World) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
    before = await world.store.latest_change()
    blocked = await world.http.post("/api/servers/box/tools/add/block", headers=world.admin)
    again = await world.http.post("/api/servers/box/tools/add/block", headers=world.admin)
    undone = await world.http.post("/api/servers/box/tools/add/unblock", headers=world.admin)
    states = [answer.json()["state"] for answer in (blocked, again, undone)]
    assert states == ["blocked", "blocked", "active"]
    changes = await world.store.changes(before)
    assert changes is not None
    assert [(change.id, change.affects) for change in changes] == [("box/tool/add", {"/mcp/box"})] * 2


async def test_a_resource_is_blocked_by_its_uri(world: World) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
    path = "/api/servers/box/tools/memo:%2F%2Ftoday/block?kind=resource"
    answer = await world.http.post(path, headers=world.admin)
    assert (answer.status_code, answer.json()["state"]) == (200, "blocked")


async def test_a_tool_that_is_not_there_cannot_be_blocked(world: World) -> None:
    await world.add("ledger")
    answer = await world.http.post("/api/servers/ledger/tools/nothing/block", headers=world.admin)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:gatepost:problem:no-such-tool")


async def test_a_quarantined_tool_is_not_let_through_by_block_and_unblock(world: World) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
    found = await world.store.get("tools", "box/tool/add")
    assert found is not None
    await world.store.commit("tools", found.id, {**found.body, "state": "quarantined"})
    for action in ("block", "unblock"):
        answer = await world.http.post(f"/api/servers/box/tools/add/{action}", headers=world.admin)
        assert answer.status_code == 409


async def test_a_caller_sees_the_tools_that_its_scopes_name_page_by_page(world: World) -> None:
    async with upstream(paged(6)) as url:
        await world.add("many", url)
    named = ["tool_001", "tool_003", "tool_005"]
    await world.scope(
        "some", ["some"], servers=[{"server": "many", "methods": ["tools/call"], "tools": named}]
    )
    caller = world.identity(["some"])
    first = (await world.http.get("/api/servers/many/tools?limit=2", headers=caller)).json()
    more = {"limit": "2", "cursor": first["next_cursor"]}
    second = (await world.http.get("/api/servers/many/tools", params=more, headers=caller)).json()
    assert [tool["name"] for tool in first["items"] + second["items"]] == named
    assert second["next_cursor"] is None


async def test_a_block_that_lands_while_a_tool_is_being_forgotten_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
    tools = ToolRepository(world.store)
    read = await tools.of_server("box")
    await world.http.post("/api/servers/box/tools/add/block", headers=world.admin)

    async def read_before(_slug: str) -> object:
        return read

    monkeypatch.setattr(tools, "of_server", read_before)
    await tools.replace_all("box", [])
    left = await world.store.get("tools", "box/tool/add")
    assert left is not None
    assert left.body["state"] == "blocked"
