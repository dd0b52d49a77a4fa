from typing import Any

import pytest
from mcp.shared.auth import OAuthMetadata

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


async def test_the_authorization_server_is_described_at_both_addresses(world: Any) -> None:
    answers = [
        await world.public.get(f"/.well-known/{name}")
        for name in ("oauth-authorization-server", "openid-configuration")
    ]
    described = answers[0].json()
    assert answers[1].json() == described
    issuer = "http://127.0.0.1:8080"
    assert (
        described["issuer"]
        == (await world.public.get(f"{WELL_KNOWN}/api")).json()["authorization_servers"][0]
    )
    places = {name: url for name, url in described.items() if name.endswith(("_endpoint", "_uri"))}
    assert places == {
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "registration_endpoint": f"{issuer}/oauth/register",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "jwks_uri": f"{issuer}/oauth/jwks",
    }
    assert described["code_challenge_methods_supported"] == ["S256"]
    assert described["client_id_metadata_document_supported"] is True
    assert described["authorization_response_iss_parameter_supported"] is True
    assert not {"none", "HS256"} & set(described["token_endpoint_auth_signing_alg_values_supported"])


async def test_no_name_of_a_scope_is_public(world: Any) -> None:
    await world.scope("payroll", ["hr"], "ledger", ["pay"])
    answer = await world.public.get("/.well-known/oauth-authorization-server")
    assert answer.json()["scopes_supported"] == ["offline_access"]
    assert "payroll" not in answer.text


async def test_the_official_sdk_reads_the_metadata(world: Any) -> None:
    answer = await world.public.get("/.well-known/oauth-authorization-server")
    read = OAuthMetadata.model_validate_json(answer.content)
    assert str(read.issuer).rstrip("/") == "http://127.0.0.1:8080"
    assert read.client_id_metadata_document_supported


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/.well-known/oauth-protected-resource/mcp/ledger"),
        ("GET", "/oauth/jwks"),
        ("POST", "/oauth/register"),
        ("POST", "/oauth/token"),
        ("POST", "/oauth/revoke"),
    ],
)
async def test_pages_of_any_site_reach_what_a_client_in_a_browser_needs(
    world: Any, method: str, path: str
) -> None:
    page = {"Origin": "https://inspector.example", "Cookie": "gatepost_session=x"}
    answer = await world.public.request(method, path, headers=page)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    wanted = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "mcp-protocol-version",
    }
    preflight = await world.public.options(path, headers=page | wanted)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (200, "*")


@pytest.mark.parametrize("path", ["/login", "/oauth/authorize", "/oauth/introspect", "/api/clients"])
async def test_pages_of_other_sites_read_nothing_else(world: Any, path: str) -> None:
    page = {"Origin": "https://inspector.example", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "POST", "OPTIONS"):
        answer = await world.public.request(method, path, headers=page)
        assert "Access-Control-Allow-Origin" not in answer.headers
