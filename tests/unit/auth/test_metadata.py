from typing import Any

import pytest

pytestmark = pytest.mark.anyio
WELL_KNOWN = "/.well-known/oauth-protected-resource"


async def test_a_server_s_metadata_names_its_resource_and_the_authorization_server(world: Any) -> None:
    await world.server("ledger")
    assert (await world.public.get(f"{WELL_KNOWN}/mcp/ledger")).json() == {
        "resource": "http://127.0.0.1:8080/mcp/ledger",
        "authorization_servers": ["http://127.0.0.1:8080"],
        "bearer_methods_supported": ["header"],
        "resource_name": "MCP server ledger",
    }


async def test_metadata_does_not_tell_which_servers_exist(world: Any) -> None:
    await world.server("ledger")
    there = await world.public.get(f"{WELL_KNOWN}/mcp/ledger")
    nowhere = await world.public.get(f"{WELL_KNOWN}/mcp/nowhere")
    assert there.text.replace("ledger", "nowhere") == nowhere.text
    assert there.status_code == nowhere.status_code == 200


async def test_the_api_is_a_resource_of_its_own(world: Any) -> None:
    assert (await world.public.get(f"{WELL_KNOWN}/api")).json()["resource"] == "http://127.0.0.1:8080/api"


async def test_metadata_is_told_from_the_setting_and_never_from_host(world: Any) -> None:
    answer = await world.public.get(f"{WELL_KNOWN}/api", headers={"Host": "evil.example"})
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["", "/", "/mcp", "/mcp/", "/mcp/UPPER", "/mcp/a/b", "/mcp/a%0A", "/mcp/-a", f"/mcp/{'a' * 64}", "/ui"],
)
async def test_what_can_be_no_resource_has_no_metadata(world: Any, path: str) -> None:
    assert (await world.public.get(f"{WELL_KNOWN}{path}")).status_code == 404


async def test_the_keys_are_public_ones_and_follow_a_rotation(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = (await world.public.get("/oauth/jwks")).json()["keys"]
    assert [(key["alg"], "d" in key) for key in keys] == [("ES256", False)]
    await world.parts.keys.rotate()
    assert len((await world.public.get("/oauth/jwks")).json()["keys"]) == 2
