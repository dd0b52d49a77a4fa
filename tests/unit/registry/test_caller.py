import re
import secrets

import pytest

from app import __version__
from app.core.identity import IDENTITY_HEADER
from app.core.keys import SigningKeys
from app.core.sealing import Sealer
from app.core.store.sqlite import SqliteStore
from tests.unit.registry.conftest import World

pytestmark = pytest.mark.anyio


async def refused(world: World, *headers: dict[str, str]) -> str:
    pairs = [pair for each in headers for pair in each.items()]
    answer = await world.http.get("/api/me", headers=pairs)
    assert answer.status_code == 401, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    detail: str = answer.json()["detail"]
    return detail


async def test_the_caller_is_who_the_gateway_vouches_for(world: World) -> None:
    me = (await world.http.get("/api/me", headers=world.identity(["admins"], ["admins"]))).json()
    assert (me["subject"], me["client"], me["groups"]) == ("local:alice", "test", ["admins"])
    assert me["rights"]["registry"] == {"*": ["*"]}


async def test_a_narrowed_caller_has_only_what_the_named_scopes_give(world: World) -> None:
    me = (await world.http.get("/api/me", headers=world.identity(["admins"], ["nothing"]))).json()
    assert me["rights"] == {"servers": {}, "agents": {}, "registry": {}, "registry_agents": {}}


async def test_no_identity_or_two_are_refused(world: World) -> None:
    assert "one Gatepost-Identity header" in await refused(world)
    assert "one Gatepost-Identity header" in await refused(world, world.admin, world.admin)


async def test_an_access_token_is_no_identity(world: World) -> None:
    made = await world.http.post("/api/tokens", json={"name": "x"}, headers=world.admin)
    await refused(world, {"Authorization": f"Bearer {made.json()['value']}"})
    await refused(world, {"Authorization": f"Bearer {world.admin[IDENTITY_HEADER]}"})
    await refused(world, {IDENTITY_HEADER: made.json()["value"]})


async def test_an_expired_or_foreign_identity_is_refused(world: World) -> None:
    await refused(world, world.identity(["admins"], life=-60))
    await refused(world, world.identity(["admins"], issuer="https://elsewhere.example"))
    await refused(world, {IDENTITY_HEADER: world.admin[IDENTITY_HEADER][:-4] + "AAAA"})
    wrong_use = world.keys.sign({"iss": world.settings.public_url, "aud": "registry", "sub": "x"}, "at+jwt")
    await refused(world, {IDENTITY_HEADER: wrong_use})


async def test_an_identity_by_another_deployments_key_is_refused(world: World) -> None:
    store = await SqliteStore.open(world.settings.state_dir / "other.db")
    other = await SigningKeys.load(store, Sealer([secrets.token_bytes(32)]))
    await store.close()
    assert "not known" in await refused(world, world.identity(["admins"], keys=other))


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/version", "/api/openapi.json"])
async def test_these_need_no_caller(world: World, path: str) -> None:
    assert (await world.http.get(path)).status_code == 200


async def test_the_version_and_the_openapi_document_say_what_this_is(world: World) -> None:
    assert (await world.http.get("/api/version")).json() == {"name": "gatepost", "version": __version__}
    document = (await world.http.get("/api/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "/api/servers/{slug}/credential" in document["paths"]


async def test_every_route_but_those_wants_a_caller(world: World) -> None:
    document = (await world.http.get("/api/openapi.json")).json()
    for path, verbs in document["paths"].items():
        for verb in verbs:
            filled = re.sub(r"\{[a-z_]+\}", "x", path)
            answer = await world.http.request(verb.upper(), filled, json={})
            expected = {200} if path == "/api/version" else {401}
            assert answer.status_code in expected, (verb, path, answer.text)
