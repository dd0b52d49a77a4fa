import time
from typing import Any

import httpx2
import pytest

from app.auth.clients.service import CLIENTS
from app.core.identity import IDENTITY_HEADER, Identity, issue
from tests.unit.auth.clients.conftest import Host
from tests.unit.auth.conftest import World

pytestmark = pytest.mark.anyio
ROBOT = {"client_id": "robot", "name": "Robot", "grant_types": ["client_credentials"], "groups": ["robots"]}
NOTES = {"client_id": "notes", "name": "Notes", "redirect_uris": ["https://notes.example/cb"]}


def identity(world: World, *groups: str) -> dict[str, str]:
    who = Identity("local:alice", "test", list(groups), None)
    token = issue(world.parts.keys, who, world.parts.settings.public_url, time.time() + 60)
    return {IDENTITY_HEADER: token}


async def ask(world: World, method: str, path: str = "", body: Any = None, **headers: str) -> httpx2.Response:
    known = {
        **identity(world, "admins"),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return await world.public.request(method, f"/api/clients{path}", json=body, headers=known)


async def affected(world: World, since: int) -> list[set[str]]:
    changes = await world.parts.store.changes(since)
    assert changes is not None
    return [set(change.affects) for change in changes]


async def test_a_client_is_registered_and_its_secret_shown_once(world: World) -> None:
    made = await ask(world, "POST", body=ROBOT)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    assert made.headers["Location"] == "/api/clients/robot"
    secret = made.json()["client_secret"]
    form = {"client_id": "robot", "client_secret": secret}
    client = await world.parts.clients.authenticate(form, None)
    assert (client.kind, client.groups) == ("preregistered", ["robots"])
    shown = await ask(world, "GET", "/robot")
    assert shown.json() == {name: value for name, value in made.json().items() if name != "client_secret"}
    assert not {"client_secret", "secret_digest"} & shown.json().keys()


async def test_a_client_without_an_id_gets_one_and_a_public_one_no_secret(world: World) -> None:
    made = (await ask(world, "POST", body={**NOTES, "client_id": None, "auth_method": "none"})).json()
    assert made["client_secret"] is None
    assert (await world.parts.clients.authenticate({"client_id": made["client_id"]}, None)).name == "Notes"


async def test_an_id_is_taken_once(world: World) -> None:
    await ask(world, "POST", body=ROBOT)
    again = await ask(world, "POST", body=ROBOT)
    assert (again.status_code, again.json()["type"]) == (409, "urn:gatepost:problem:client-id-taken")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "\u202e"},
        {**NOTES, "redirect_uris": []},
        {**NOTES, "redirect_uris": ["http://notes.example/cb"]},
        {**NOTES, "groups": ["robots"]},
        {**NOTES, "grant_types": []},
        {**NOTES, "grant_types": ["password"]},
        {**NOTES, "client_id": "Notes"},
        {**NOTES, "client_id": "https://notes.example/client.json"},
        {**NOTES, "auth_method": "private_key_jwt"},
        {**NOTES, "jwks_uri": "https://notes.example/keys"},
        {**NOTES, "client_secret": "chosen"},
        {**NOTES, "kind": "dynamic"},
        {**NOTES, "name": "x\u0000" * 60},
        {**ROBOT, "auth_method": "none"},
        {**ROBOT, "grant_types": ["client_credentials", "refresh_token"]},
        {**ROBOT, "groups": ["a\nb"]},
    ],
)
async def test_a_client_that_makes_no_sense_is_refused(world: World, body: dict[str, Any]) -> None:
    assert (await ask(world, "POST", body=body)).status_code == 422


async def test_a_change_needs_the_revision_that_was_read_and_keeps_the_secret(world: World) -> None:
    secret = (await ask(world, "POST", body=ROBOT)).json()["client_secret"]
    tag = (await ask(world, "GET", "/robot")).headers["ETag"]
    changed = {name: value for name, value in ROBOT.items() if name != "client_id"} | {"groups": ["others"]}
    before = await world.parts.store.latest_change()
    assert (await ask(world, "PUT", "/robot", changed, If_Match=tag)).json()["groups"] == ["others"]
    assert await affected(world, before) == [{"principal:client:robot"}]
    assert (await ask(world, "PUT", "/robot", changed, If_Match=tag)).status_code == 412
    assert (await ask(world, "DELETE", "/robot", If_Match=tag)).status_code == 412
    form = {"client_id": "robot", "client_secret": secret}
    assert (await world.parts.clients.authenticate(form, None)).groups == ["others"]


async def test_a_new_secret_ends_the_one_before(world: World) -> None:
    old = (await ask(world, "POST", body=ROBOT)).json()["client_secret"]
    made = await ask(world, "POST", "/robot/secret")
    assert made.headers["Cache-Control"] == "no-store"
    new = made.json()["client_secret"]
    await world.parts.clients.authenticate({"client_id": "robot", "client_secret": new}, None)
    with pytest.raises(Exception, match="did not prove"):
        await world.parts.clients.authenticate({"client_id": "robot", "client_secret": old}, None)


async def test_a_client_goes_with_all_that_was_given_to_it(world: World) -> None:
    await ask(world, "POST", body=ROBOT)
    for collection in ("grants", "consents"):
        await world.parts.store.put(collection, "of-robot", {"client_id": "robot"})
        await world.parts.store.put(collection, "of-other", {"client_id": "other"})
    before = await world.parts.store.latest_change()
    assert (await ask(world, "DELETE", "/robot")).status_code == 204
    assert await affected(world, before) == [{"*"}]
    assert not await world.parts.clients.known("robot", int(time.time()))
    for collection in ("grants", "consents"):
        assert [found.id for found in (await world.parts.store.list(collection)).items] == ["of-other"]
    assert (await ask(world, "GET", "/robot")).status_code == 404


async def test_a_client_that_registered_itself_is_seen_and_taken_away_but_not_changed(world: World) -> None:
    metadata = {"redirect_uris": ["http://localhost/cb"]}
    client_id = (await world.public.post("/oauth/register", json=metadata)).json()["client_id"]
    await ask(world, "POST", body=ROBOT)
    listed = (await ask(world, "GET", "?kind=dynamic")).json()["items"]
    assert [item["client_id"] for item in listed] == [client_id]
    body = {"name": "Mine", "redirect_uris": ["https://notes.example/cb"]}
    assert (await ask(world, "PUT", f"/{client_id}", body)).status_code == 409
    assert (await ask(world, "POST", f"/{client_id}/secret")).status_code == 409
    assert (await ask(world, "DELETE", f"/{client_id}")).status_code == 204


async def test_the_last_use_is_shown(world: World) -> None:
    await ask(world, "POST", body=ROBOT)
    assert (await ask(world, "GET", "/robot")).json()["used_at"] is None
    await world.parts.clients.touch("robot")
    assert (await ask(world, "GET", "/robot")).json()["used_at"] is not None
    kept = await world.parts.store.get(CLIENTS, "robot")
    assert kept is not None


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", ""), ("GET", "/x"), ("PUT", "/x"), ("DELETE", "/x"), ("POST", "/x/secret")],
)
async def test_a_caller_needs_the_right(world: World, method: str, path: str) -> None:
    target = f"/api/clients{path}"
    assert (await world.public.request(method, target, json=NOTES)).status_code == 401
    stranger = identity(world, "others")
    assert (await world.public.request(method, target, json=NOTES, headers=stranger)).status_code == 403


async def test_a_client_with_keys_has_no_secret(world: World, host: Host) -> None:
    body = {**NOTES, "auth_method": "private_key_jwt", "jwks_uri": f"{host.url}/keys"}
    assert (await ask(world, "POST", body=body)).json()["client_secret"] is None
    assert (await ask(world, "POST", "/notes/secret")).status_code == 409
    changed = {"name": "Notes", "redirect_uris": NOTES["redirect_uris"]}
    assert "anew" in (await ask(world, "PUT", "/notes", changed)).json()["detail"]
