from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route

from app.core.models.agent import credential_id
from app.registry.credentials.vault import CredentialVault
from tests.unit.registry.agents.cards import META, card
from tests.unit.registry.conftest import World, serving

pytestmark = pytest.mark.anyio
SECRET = "s3cret-value"


async def add(world: World, body: dict[str, Any], slug: str | None = None) -> Any:
    given = {**body, "_meta": {META: {"slug": slug}}} if slug else body
    return await world.http.post("/api/agents", json=given, headers=world.admin)


async def test_an_agent_comes_back_as_it_was_given_with_its_signatures(world: World) -> None:
    given = card(signatures=[{"protected": "e30", "signature": "c2ln"}], **{"x-extra": {"kept": [1, None]}})
    created = await add(world, given)
    assert created.status_code == 201
    assert created.headers["Location"] == "/api/agents/the-auditor"
    found = await world.http.get("/api/agents/the-auditor", headers=world.admin)
    agent, gatepost = found.json()["agent"], found.json()["gatepost"]
    assert agent.pop("_meta")[META]["slug"] == "the-auditor"
    assert agent == given
    assert gatepost["url"] == f"{world.settings.public_url}/a2a/the-auditor"
    assert (gatepost["callable"], gatepost["bindings"]) == (True, ["JSONRPC", "HTTP+JSON"])
    assert found.headers["ETag"] == created.headers["ETag"] == f'"{gatepost["revision"]}"'


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"skills": []}, "skills"),
        ({"supportedInterfaces": []}, "supportedInterfaces"),
        (
            {"supportedInterfaces": [{"url": "x", "protocolBinding": "JSONRPC"}]},
            "supportedInterfaces.0.protocolVersion",
        ),
        ({"capabilities": {"extensions": [{"params": {"n": 2**60}}]}}, "body"),
        ({"_meta": {META: {"slug": "Not A Slug"}}}, f"_meta.{META}.slug"),
        ({"_meta": {META: {"colour": "blue"}}}, f"_meta.{META}.colour"),
        ({"_meta": []}, "_meta"),
        ({"name": "監査"}, f"_meta.{META}.slug"),
    ],
)
async def test_a_card_that_is_not_valid_is_refused_by_field(
    world: World, change: dict[str, Any], field: str
) -> None:
    answer = await add(world, card(**change))
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("binding", "url", "tenant"),
    [
        ("JSONRPC", "ftp://127.0.0.1/", ""),
        ("JSONRPC", "https://127.0.0.1/", ""),
        ("HTTP+JSON", "http://127.0.0.1/a?key=1", ""),
        ("HTTP+JSON", "http://127.0.0.1/", "a/b"),
        ("JSONRPC", "http://127.0.0.1/", ".."),
    ],
)
async def test_an_interface_that_the_gateway_cannot_carry_is_refused(
    world: World, binding: str, url: str, tenant: str
) -> None:
    interface = {"url": url, "protocolBinding": binding, "protocolVersion": "1.0", "tenant": tenant}
    answer = await add(world, card(supportedInterfaces=[interface]))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("supportedInterfaces.0.")


async def test_a_card_of_the_version_before_is_refused_as_that(world: World) -> None:
    old = card(url="http://127.0.0.1/", protocolVersion="0.3.0")
    del old["supportedInterfaces"]
    answer = await add(world, old)
    assert answer.status_code == 422
    assert "A2A 0.3" in answer.json()["detail"]


async def test_every_interface_is_checked_against_the_networks(world: World) -> None:
    inside = card()
    inside["supportedInterfaces"][1]["url"] = "http://169.254.169.254/latest"
    answer = await add(world, inside)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:gatepost:problem:upstream-refused"


async def test_an_agent_of_grpc_alone_is_listed_and_not_callable(world: World) -> None:
    grpc = {"url": "agent.example:443", "protocolBinding": "GRPC", "protocolVersion": "1.0"}
    answer = await add(world, card(supportedInterfaces=[grpc]))
    assert answer.status_code == 201
    assert answer.json()["gatepost"]["callable"] is False


async def test_a_card_is_fetched_from_the_agent_and_our_part_is_never_the_agent_s(world: World) -> None:
    claims = {META: {"slug": "taken-over", "push_notifications": True}, "theirs": {"kept": 1}}
    app = Starlette(
        routes=[Route("/.well-known/agent-card.json", lambda _: JSONResponse({**card(), "_meta": claims}))]
    )
    async with serving(app) as url:
        answer = await add(world, {"url": url})
    meta = answer.json()["agent"]["_meta"]
    assert (meta[META]["slug"], meta[META]["push_notifications"]) == ("the-auditor", False)
    assert meta["theirs"] == {"kept": 1}


async def test_a_card_that_cannot_be_fetched_says_why(world: World) -> None:
    app = Starlette(
        routes=[
            Route("/text.json", lambda _: PlainTextResponse("no")),
            Route("/list.json", lambda _: JSONResponse([])),
            Route("/away.json", lambda _: RedirectResponse("http://169.254.169.254/")),
            Route("/long.json", lambda _: PlainTextResponse("[" + "1," * 300_000)),
        ]
    )
    async with serving(app) as url:
        paths = ("/text.json", "/list.json", "/away.json", "/long.json", "/missing.json")
        answers = [await add(world, {"url": url + path}) for path in paths]
    assert [answer.status_code for answer in answers] == [502, 422, 422, 502, 502]
    inside = await add(world, {"url": "http://10.1.2.3"})
    assert inside.json()["type"] == "urn:gatepost:problem:upstream-refused"


async def test_who_may_register_nothing_lets_the_registry_fetch_nothing(world: World) -> None:
    asked: list[str] = []
    app = Starlette(routes=[Route("/card.json", lambda request: asked.append(request) or JSONResponse({}))])
    async with serving(app) as url:
        nobody = world.identity(["others"])
        answer = await world.http.post("/api/agents", json={"url": f"{url}/card.json"}, headers=nobody)
    assert (answer.status_code, asked) == (403, [])


async def test_a_change_tells_the_gateways(world: World) -> None:
    before = await world.store.latest_change()
    created = await add(world, card(), "auditor")
    tag = {**world.admin, "If-Match": created.headers["ETag"]}
    replaced = await world.http.put("/api/agents/auditor", json=card(version="2"), headers=tag)
    stale = await world.http.put("/api/agents/auditor", json=card(version="3"), headers=tag)
    deleted = await world.http.delete("/api/agents/auditor", headers=world.admin)
    assert [answer.status_code for answer in (replaced, stale, deleted)] == [200, 412, 204]
    changes = await world.store.changes(before)
    assert changes is not None
    assert [change.affects for change in changes] == [{"/a2a/auditor"}] * 3


async def test_a_credential_is_sealed_and_goes_with_the_agent(world: World) -> None:
    await add(world, card(), "auditor")
    before = await world.store.latest_change()
    path = "/api/agents/auditor/credential"
    assert (await world.http.put(path, json={"bearer": SECRET}, headers=world.admin)).status_code == 204
    vault = CredentialVault(world.store, world.app.state.registry.sealer)
    assert (await vault.find(credential_id("auditor"))).headers == {"Authorization": f"Bearer {SECRET}"}
    assert (await vault.find("auditor")).headers == {}
    changes = await world.store.changes(before)
    assert changes is not None
    assert changes[0].affects == {"/a2a/auditor"}
    await world.http.delete("/api/agents/auditor", headers=world.admin)
    assert not await vault.has(credential_id("auditor"))


async def test_a_credential_does_not_follow_to_another_origin(world: World) -> None:
    await add(world, card(), "auditor")
    await world.http.put("/api/agents/auditor/credential", json={"bearer": SECRET}, headers=world.admin)
    same = await world.http.put("/api/agents/auditor", json=card(version="2"), headers=world.admin)
    assert same.json()["warnings"] == []
    moved = await world.http.put(
        "/api/agents/auditor", json=card("http://127.0.0.2:9000"), headers=world.admin
    )
    assert "credential was removed" in moved.json()["warnings"][0]
    vault = CredentialVault(world.store, world.app.state.registry.sealer)
    assert not await vault.has(credential_id("auditor"))


async def test_who_may_use_nothing_of_an_agent_does_not_see_it(world: World) -> None:
    for slug in ("a", "b", "c"):
        await add(world, card(), slug)
    await world.scope("users", ["fin"], agents=[{"agent": "b", "actions": ["invoke"]}])
    user = world.identity(["fin"])
    listed = await world.http.get("/api/agents", headers=user)
    assert [item["gatepost"]["slug"] for item in listed.json()["items"]] == ["b"]
    statuses = [(await world.http.get(f"/api/agents/{slug}", headers=user)).status_code for slug in "ab"]
    assert statuses == [404, 200]
    assert (await world.http.delete("/api/agents/b", headers=user)).status_code == 403
    page = (await world.http.get("/api/agents?limit=2", headers=world.admin)).json()
    assert (len(page["items"]), page["next_cursor"] is not None) == (2, True)


async def test_a_right_on_one_server_is_none_on_an_agent(world: World) -> None:
    await add(world, card(), "ledger")
    await world.scope("owners", ["fin"], registry=[{"actions": ["*"], "servers": ["ledger"]}])
    answer = await world.http.get("/api/agents/ledger", headers=world.identity(["fin"]))
    assert answer.status_code == 404


async def test_a_scope_that_names_a_missing_agent_or_action_is_kept_with_a_warning(world: World) -> None:
    scope = {"name": "later", "groups": [], "agents": [{"agent": "gone", "actions": ["read", "destroy"]}]}
    answer = await world.http.post("/api/scopes", json=scope, headers=world.admin)
    assert [warning.split(" ")[0] for warning in answer.json()["warnings"]] == ["no", "destroy"]


async def test_tokens_for_an_agent_are_not_asked_for_inside_the_network(world: World) -> None:
    await add(world, card(), "auditor")
    oauth = {"token_url": "http://169.254.169.254/token", "client_id": "id", "client_secret": SECRET}
    answer = await world.http.put(
        "/api/agents/auditor/credential", json={"oauth": oauth}, headers=world.admin
    )
    assert answer.status_code == 422
    assert SECRET not in answer.text
