import asyncio
import socket
from typing import Any

import httpx2
import pytest
from mcp.server import Server
from mcp_types import ListToolsResult, Tool

from tests.unit.registry.conftest import World, until
from tests.unit.registry.upstreams import Guarded, LegacyOnly, paged, toolbox, upstream

pytestmark = pytest.mark.anyio


async def names(world: World, slug: str, kind: str = "tool") -> list[str]:
    page = await world.get(f"/api/servers/{slug}/tools?kind={kind}")
    return [tool["name"] for tool in page["items"]]


async def refresh(world: World, slug: str) -> dict[str, object]:
    answer = await world.http.post(f"/api/servers/{slug}/refresh", headers=world.admin)
    assert answer.status_code == 200, answer.text
    health: dict[str, object] = answer.json()
    return health


async def test_a_modern_server_is_found_with_all_it_offers(world: World) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
    health = await world.get("/api/servers/box/health")
    assert (health["state"], health["era"], health["reason"]) == ("healthy", "modern", None)
    assert health["server_info"]["version"] == "2.5.0"
    assert health["instructions"] == "Use it well."
    found = [await names(world, "box", kind) for kind in ("tool", "prompt", "resource", "template")]
    assert found == [["add"], ["greet"], ["memo://today"], ["memo://{day}"]]
    assert (await world.get("/api/servers/box"))["gatepost"]["tools"] == 1


class Slow:
    """Counts how many list its tools at once."""

    def __init__(self) -> None:
        self.at_once, self.most, self.lists = 0, 0, 0
        self.server = Server[Any]("slow", on_list_tools=self._list)

    async def _list(self, _context: Any, _params: Any) -> ListToolsResult:
        self.at_once += 1
        self.lists += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.2)
        self.at_once -= 1
        return ListToolsResult(tools=[Tool(name="wait", input_schema={"type": "object"})])


async def test_a_server_is_looked_at_by_one_registry_at_a_time(
    world: World, second: httpx2.AsyncClient
) -> None:
    slow = Slow()
    async with upstream(slow.server) as url:
        await world.add("slow", url)
        asked = (
            http.post("/api/servers/slow/refresh", headers=world.admin) for http in (world.http, second) * 2
        )
        answers = await asyncio.gather(*asked)
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "healthy")] * 4
    assert slow.lists >= 3
    assert slow.most == 1


async def test_what_one_registry_found_is_in_the_list_of_another_at_once(
    world: World, second: httpx2.AsyncClient
) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
        listed = (await second.get("/api/servers", headers=world.admin)).json()["items"]
    assert [item["gatepost"]["health"]["state"] for item in listed] == ["healthy"]


async def test_every_page_is_read(world: World) -> None:
    async with upstream(paged(10)) as url:
        await world.add("many", url)
    assert await names(world, "many") == [f"tool_{number:03}" for number in range(10)]


async def test_a_server_whose_pages_go_round_is_read_once_round(world: World) -> None:
    async with upstream(paged(7, repeat=True)) as url:
        await world.add("round", url)
    health = await world.get("/api/servers/round/health")
    assert health["state"] == "healthy"
    assert "same cursor twice" in health["reason"]
    assert len(await names(world, "round")) == 7


async def test_an_entry_that_cannot_be_kept_is_left_out_and_told(world: World) -> None:
    server = toolbox()
    server.tool(name="nul", description="a \0 in it")(lambda: "x")
    async with upstream(server) as url:
        await world.add("odd", url)
    assert await names(world, "odd") == ["add"]
    assert "cannot be kept" in (await world.get("/api/servers/odd/health"))["reason"]


async def test_a_legacy_server_with_sessions_is_found(world: World) -> None:
    legacy = LegacyOnly(toolbox().streamable_http_app())
    async with upstream(legacy) as url:
        await world.add("old", url)
    health = await world.get("/api/servers/old/health")
    assert (health["state"], health["era"]) == ("healthy", "legacy")
    assert await names(world, "old") == ["add"]
    assert legacy.sessions > 0


@pytest.mark.parametrize("status", [401, 403])
async def test_a_server_that_refuses_says_so_until_it_gets_its_credential(world: World, status: int) -> None:
    guarded = Guarded(toolbox().streamable_http_app(), "Authorization", "Bearer open-sesame", status)
    async with upstream(guarded) as url:
        await world.add("locked", url)
        before = await world.get("/api/servers/locked/health")
        path = "/api/servers/locked/credential"
        await world.http.put(path, json={"bearer": "open-sesame"}, headers=world.admin)
        after = await refresh(world, "locked")
    assert before["state"] == "credential_expired"
    assert "wants a credential" in before["reason"]
    assert after["state"] == "healthy"
    assert guarded.sent == {"", "Bearer open-sesame"}


async def test_a_reason_never_repeats_the_credential(world: World) -> None:
    guarded = Guarded(toolbox().streamable_http_app(), "X-Key", "right", 400)
    async with upstream(guarded) as url:
        await world.add("echo", url)
        headers = {"X-Key": "wrong-but-secret"}
        await world.http.put("/api/servers/echo/credential", json={"headers": headers}, headers=world.admin)
        health = await refresh(world, "echo")
    assert health["state"] == "unreachable"
    assert "not with [redacted]" in str(health["reason"])


async def test_a_dead_server_is_unreachable_and_delays_nothing(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    await world.add("dead", url)
    health = await world.get("/api/servers/dead/health")
    assert health["state"] == "unreachable"
    assert "no connection" in health["reason"]


async def test_a_failure_keeps_the_last_good_list(world: World) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
    health = await refresh(world, "box")
    assert health["state"] == "unreachable"
    assert health["era"] == "modern"
    assert await names(world, "box") == ["add"]


async def test_what_vanished_is_forgotten_and_a_block_outlives_it(world: World) -> None:
    server = toolbox()

    @server.tool()
    def extra() -> str:
        return "more"

    @server.tool()
    def risky() -> str:
        return "boom"

    async with upstream(server) as url:
        await world.add("box", url)
        await world.http.post("/api/servers/box/tools/risky/block", headers=world.admin)
        server.remove_tool("extra")
        server.remove_tool("risky")
        await refresh(world, "box")
        assert await names(world, "box") == ["add", "risky"]
        server.add_tool(risky)
        await refresh(world, "box")
    page = await world.get("/api/servers/box/tools?kind=tool")
    assert {tool["name"]: tool["state"] for tool in page["items"]} == {"add": "active", "risky": "blocked"}


async def test_looking_again_at_an_unchanged_server_numbers_no_change(world: World) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
        before = await world.store.latest_change()
        await refresh(world, "box")
    assert await world.store.latest_change() == before


async def test_a_server_without_an_endpoint_is_listed_and_not_callable(world: World) -> None:
    await world.add("local")
    found = (await world.get("/api/servers/local"))["gatepost"]
    assert found["callable"] is False
    assert found["health"]["state"] == "unknown"
    assert "no HTTP endpoint" in found["health"]["reason"]


async def test_those_who_ask_while_a_look_is_under_way_share_the_next_one(world: World) -> None:
    async with upstream(toolbox()) as url:
        await world.add("box", url)
        discovery = world.app.state.registry.discovery
        await until(lambda: not discovery._locks["box"].locked())
        found = await asyncio.gather(*(discovery.run("box") for _ in range(5)))
    assert {health.state for health in found} == {"healthy"}
    document = await world.store.get("health", "box")
    assert document is not None
    assert document.revision == 3
