import pytest

from tests.unit.registry.conftest import World, serving, until
from tests.unit.registry.upstreams import toolbox

pytestmark = pytest.mark.anyio


async def test_a_tool_is_found_as_soon_as_its_server_was_looked_at(world: World) -> None:
    upstream = toolbox().streamable_http_app()
    async with serving(upstream) as url:
        await world.add("toolbox", f"{url}/mcp")
        await until(lambda: _finds(world, "add numbers"))
    answer = await world.get("/api/search?q=add+numbers&kind=tool")
    assert answer["mode"] == "keyword"
    found = answer["results"][0]
    assert (found["kind"], found["server"], found["name"]) == ("tool", "toolbox", "add")
    assert found["description"] == "Add two numbers."
    assert 0 < found["score"] <= 1
    assert found["callable"] is False


async def test_who_may_call_a_tool_sees_that_it_is_callable_and_no_other_tool(world: World) -> None:
    await world.scope(
        "adders", ["clerks"], servers=[{"server": "toolbox", "methods": ["tools/call"], "tools": ["add"]}]
    )
    async with serving(toolbox().streamable_http_app()) as url:
        await world.add("toolbox", f"{url}/mcp")
        await until(lambda: _finds(world, "add numbers"))
    for groups, found in ((["clerks"], [("add", True)]), (["guests"], [])):
        answer = await world.http.get("/api/search?q=add&kind=tool", headers=world.identity(groups))
        assert [(hit["name"], hit["callable"]) for hit in answer.json()["results"]] == found


async def test_a_server_is_found_at_once_and_gone_at_once(world: World) -> None:
    answer = await world.add("ledger")
    assert [hit["name"] for hit in (await world.get("/api/search?q=ledger"))["results"]] == ["ledger"]
    headers = world.admin | {"If-Match": answer.headers["ETag"]}
    assert (await world.http.delete("/api/servers/ledger", headers=headers)).is_success
    assert (await world.get("/api/search?q=ledger"))["results"] == []


@pytest.mark.parametrize(
    ("query", "names"),
    [("q=%20", "q is empty"), ("", "q is empty"), ("q=a&kind=agent", "'agent'"), ("q=a&limit=0", "limit")],
)
async def test_a_query_that_cannot_be_answered_is_a_problem_that_says_why(
    world: World, query: str, names: str
) -> None:
    answer = await world.http.get(f"/api/search?{query}", headers=world.admin)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert names in answer.json()["detail"]


async def test_a_request_without_an_identity_is_refused(world: World) -> None:
    assert (await world.http.get("/api/search?q=add")).status_code == 401


async def _finds(world: World, query: str) -> bool:
    return bool((await world.get(f"/api/search?q={query}&kind=tool"))["results"])
