from typing import Any

import pytest

from app.core.credentials import ClientCredentials, UpstreamCredential
from app.registry.credentials.vault import CredentialVault
from tests.unit.registry.conftest import World, document

pytestmark = pytest.mark.anyio
PATH = "/api/servers/ledger/credential"
SECRET = "s3cret-value"
TOKEN_URL = "https://auth.invalid/token"
OAUTH = {"token_url": TOKEN_URL, "client_id": "us", "client_secret": SECRET}


async def headers(world: World) -> dict[str, str]:
    services = world.app.state.registry
    return (await CredentialVault(world.store, services.sealer).find("ledger")).headers


async def test_a_credential_is_sealed_and_told_to_the_gateways(world: World) -> None:
    await world.add("ledger")
    before = await world.store.latest_change()
    answer = await world.http.put(PATH, json={"bearer": SECRET}, headers=world.admin)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await headers(world) == {"Authorization": f"Bearer {SECRET}"}
    stored = await world.store.get("credentials", "ledger")
    assert stored is not None
    assert SECRET not in str(stored.body)
    changes = await world.store.changes(before)
    assert changes is not None
    assert changes[0].affects == {"/mcp/ledger"}


async def test_what_tokens_are_had_by_is_sealed_and_opens_as_it_was_given(world: World) -> None:
    await world.add("ledger")
    given = {**OAUTH, "scope": "read write", "resource": "api://ledger", "auth_method": "client_secret_post"}
    answer = await world.http.put(PATH, json={"oauth": given}, headers=world.admin)
    assert answer.status_code == 204
    stored = await world.store.get("credentials", "ledger")
    assert stored is not None
    assert SECRET not in str(stored.body)
    found = await CredentialVault(world.store, world.app.state.registry.sealer).find("ledger")
    assert found.oauth == ClientCredentials.model_validate(given)
    assert SECRET not in repr(found)


async def test_a_server_whose_token_cannot_be_had_says_so(world: World) -> None:
    await world.add("ledger", "http://127.0.0.1:9/mcp")
    await world.http.put(PATH, json={"oauth": OAUTH}, headers=world.admin)
    health = (await world.http.post("/api/servers/ledger/refresh", headers=world.admin)).json()
    assert health["state"] == "credential_expired"
    assert "auth.invalid cannot be resolved" in health["reason"]


async def test_a_credential_can_be_removed_and_never_read(world: World) -> None:
    await world.add("ledger")
    await world.http.put(PATH, json={"headers": {"X-Key": SECRET}}, headers=world.admin)
    assert (await world.http.get(PATH, headers=world.admin)).status_code == 405
    assert SECRET not in (await world.http.get("/api/servers/ledger", headers=world.admin)).text
    assert (await world.http.delete(PATH, headers=world.admin)).status_code == 204
    assert await headers(world) == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"bearer": SECRET, "headers": {"X-Key": SECRET}},
        {"bearer": ""},
        {"bearer": f"Bearer {SECRET}"},
        {"bearer": f"{SECRET}\r\nX-Other: 1"},
        {"headers": {}},
        {"headers": {"X Key": SECRET}},
        {"headers": {"X-Key\r\nX-Other": SECRET}},
        {"headers": {"X-Key": f"{SECRET}\n"}},
        {"headers": {"X-Key": f"{SECRET}\x00"}},
        {"headers": {"X-Key": f" {SECRET}"}},
        {"headers": {"X-Key": f"{SECRET}é"}},
        {"headers": {"X-Key": SECRET, "x-key": SECRET}},
        {"headers": {"Host": SECRET}},
        {"headers": {"content-length": SECRET}},
        {"headers": {"Transfer-Encoding": SECRET}},
        {"headers": {"Connection": SECRET}},
        {"headers": {"Proxy-Authorization": SECRET}},
        {"headers": {"Mcp-Session-Id": SECRET}},
        {"headers": {"Cookie": SECRET}},
        {"headers": {"X-Forwarded-For": SECRET}},
        {"headers": {"X-Key": 5}},
        {"token": SECRET},
        {"oauth": {"token_url": TOKEN_URL, "client_id": "us"}},
        {"oauth": {"token_url": "ftp://a.example/", "client_id": "us", "client_secret": SECRET}},
        {"oauth": {"token_url": "https://u:p@a.example/", "client_id": "us", "client_secret": SECRET}},
        {"oauth": {"token_url": "http://nowhere.invalid/", "client_id": "us", "client_secret": SECRET}},
        {"oauth": {"token_url": "https://169.254.169.254/", "client_id": "us", "client_secret": SECRET}},
        {"oauth": {**OAUTH, "client_secret": f"{SECRET}\n"}},
        {"oauth": {**OAUTH, "scope": "a  b"}},
        {"oauth": {**OAUTH, "resource": "not-absolute"}},
        {"oauth": {**OAUTH, "auth_method": SECRET}},
        {"oauth": OAUTH, "bearer": SECRET},
    ],
)
async def test_what_cannot_be_a_credential_is_refused_without_repeating_it(
    world: World, body: dict[str, Any]
) -> None:
    await world.add("ledger")
    answer = await world.http.put(PATH, json=body, headers=world.admin)
    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert await headers(world) == {}


async def test_a_credential_does_not_follow_a_server_to_another_origin(world: World) -> None:
    await world.add("ledger", "http://127.0.0.1:9/mcp")
    await world.http.put(PATH, json={"bearer": SECRET}, headers=world.admin)
    same = document("ledger", "http://127.0.0.1:9/other")
    kept = await world.http.put("/api/servers/ledger", json=same, headers=world.admin)
    assert kept.json()["warnings"] == []
    assert await headers(world)
    moved = document("ledger", "http://127.0.0.2:9/mcp")
    answer = await world.http.put("/api/servers/ledger", json=moved, headers=world.admin)
    assert "the credential was removed" in answer.json()["warnings"][0]
    assert await headers(world) == {}


async def test_an_old_credential_is_not_there_for_a_new_server_of_the_same_slug(world: World) -> None:
    services = world.app.state.registry
    await CredentialVault(world.store, services.sealer).put("ledger", UpstreamCredential({"X-Key": SECRET}))
    await world.add("ledger")
    assert await headers(world) == {}
