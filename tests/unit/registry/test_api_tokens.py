import time
from datetime import UTC, datetime, timedelta

import pytest

from app.core.identity import Identity
from app.core.problems import Problem
from app.core.settings import load_settings
from app.core.tokens import TokenStore
from app.registry.tokens.schemas import NewToken
from app.registry.tokens.service import lasting
from tests.unit.registry.conftest import World

pytestmark = pytest.mark.anyio


async def test_a_tokens_value_is_shown_once_and_works(world: World) -> None:
    made = await world.http.post("/api/tokens", json={"name": "laptop"}, headers=world.admin)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    value = made.json()["value"]
    found = await TokenStore(world.store).find(value)
    assert found is not None
    assert (found.subject, found.scopes) == ("local:alice", None)
    listed = await world.http.get("/api/tokens", headers=world.admin)
    assert [item["id"] for item in listed.json()["items"]] == [made.json()["id"]]
    assert value not in listed.text


async def test_a_token_lives_thirty_days_unless_told_otherwise(world: World) -> None:
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    made = [
        (await world.http.post("/api/tokens", json={"name": "x", **more}, headers=world.admin)).json()
        for more in ({}, {"expires_days": 7}, {"expires_at": later}, {"expires_days": 365})
    ]
    days = [
        token["expires_at"]
        and round((datetime.fromisoformat(token["expires_at"]) - now()).total_seconds() / 86_400)
        for token in made
    ]
    assert days == [30, 7, 2, 365]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "expires_days": 0},
        {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "expires_days": 3, "expires_at": None},
        {"name": "x", "scopes": []},
        {"name": "x", "groups": ["admins"]},
    ],
)
async def test_a_token_that_makes_no_sense_is_refused(world: World, body: dict[str, object]) -> None:
    assert (await world.http.post("/api/tokens", json=body, headers=world.admin)).status_code == 422


async def test_a_scope_that_one_does_not_have_is_refused_by_name(world: World) -> None:
    await world.scope("theirs", ["others"])
    wanted = {"name": "x", "scopes": ["admins", "theirs", "nonsense"]}
    answer = await world.http.post("/api/tokens", json=wanted, headers=world.admin)
    assert (answer.status_code, answer.json()["scopes"]) == (422, ["nonsense", "theirs"])


async def test_a_narrowed_token_makes_no_wider_one(world: World) -> None:
    await world.scope("small", ["admins"])
    narrow = world.identity(["admins"], ["small"])
    wider = await world.http.post("/api/tokens", json={"name": "x", "scopes": ["admins"]}, headers=narrow)
    unsaid = await world.http.post("/api/tokens", json={"name": "x"}, headers=narrow)
    assert wider.status_code == 403
    assert unsaid.json()["scopes"] == ["small"]


async def test_a_token_makes_none_that_lasts_longer(world: World) -> None:
    ends = time.time() + 3600
    first, _ = await TokenStore(world.store).create("first", "local:alice", None, None)
    headers = world.identity(["admins"], token_ends=ends, client=f"token:{first.id}")
    for more in ({}, {"expires_days": 90}):
        made = await world.http.post("/api/tokens", json={"name": "x", **more}, headers=headers)
        assert datetime.fromisoformat(made.json()["expires_at"]).timestamp() == pytest.approx(ends)


async def test_a_token_of_a_client_makes_none_that_would_be_good_everywhere_and_outlive_its_grant(
    world: World,
) -> None:
    headers = world.identity(["admins"], token_ends=time.time() + 3600, client="https://notes.example/client")
    answer = await world.http.post("/api/tokens", json={"name": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "not-for-clients")


async def test_what_a_token_made_ends_with_it(world: World) -> None:
    tokens = TokenStore(world.store)
    stolen, _ = await tokens.create("stolen", "local:alice", None, None)
    headers = world.identity(["admins"], client=f"token:{stolen.id}")
    made = (await world.http.post("/api/tokens", json={"name": "child"}, headers=headers)).json()
    further = world.identity(["admins"], client=f"token:{made['id']}")
    last = (await world.http.post("/api/tokens", json={"name": "grandchild"}, headers=further)).json()
    await world.http.delete(f"/api/tokens/{stolen.id}", headers=world.admin)
    late = (await world.http.post("/api/tokens", json={"name": "late"}, headers=headers)).json()
    for value in (made["value"], last["value"], late["value"]):
        found = await tokens.find(value)
        assert found is not None
        assert found.revoked_at is not None


async def test_only_ones_own_tokens_are_seen_and_revoked(world: World) -> None:
    made = (await world.http.post("/api/tokens", json={"name": "mine"}, headers=world.admin)).json()
    other = world.identity(["admins"], subject="local:bob")
    assert (await world.http.get("/api/tokens", headers=other)).json()["items"] == []
    assert (await world.http.delete(f"/api/tokens/{made['id']}", headers=other)).status_code == 404
    before = await world.store.latest_change()
    assert (await world.http.delete(f"/api/tokens/{made['id']}", headers=world.admin)).status_code == 204
    changes = await world.store.changes(before)
    assert changes is not None
    assert changes[0].affects == {"principal:local:alice"}
    listed = (await world.http.get("/api/tokens", headers=world.admin)).json()["items"]
    assert listed[0]["revoked_at"] is not None


@pytest.mark.parametrize(
    ("longest", "more", "days"),
    [
        ("365", {"expires_days": 366}, "refused"),
        ("365", {"expires_at": None}, "refused"),
        ("7", {}, 7),
        ("7", {"expires_days": 8}, "refused"),
        ("7", {"expires_at": "2999-01-01T00:00:00Z"}, "refused"),
        ("0", {"expires_days": 3650}, 3650),
        ("0", {"expires_at": None}, None),
    ],
)
def test_no_token_lasts_longer_than_the_setting_says(
    longest: str, more: dict[str, object], days: object
) -> None:
    settings = load_settings({"GATEPOST_TOKEN_MAX_DAYS": longest})
    who = Identity("local:alice", "test", ["admins"], None)
    new = NewToken.model_validate({"name": "x", **more})
    if days == "refused":
        with pytest.raises(Problem, match=f"{longest} days at most.*GATEPOST_TOKEN_MAX_DAYS"):
            lasting(who, new, settings.token_max_days)
    else:
        ends = lasting(who, new, settings.token_max_days)
        assert days == (ends and round((ends - now()).total_seconds() / 86_400))


async def test_an_administrator_sees_and_revokes_the_tokens_of_others(world: World) -> None:
    await world.person("kc:bob", "fin")
    bob, carol = (world.identity(["fin"], subject=subject) for subject in ("kc:bob", "kc:carol"))
    made = (await world.http.post("/api/tokens", json={"name": "x"}, headers=bob)).json()
    query, path = {"subject": "kc:bob"}, f"/api/tokens/{made['id']}"
    assert (await world.http.get("/api/tokens", params=query, headers=carol)).status_code == 403
    assert (await world.http.delete(path, params=query, headers=carol)).status_code == 403
    assert (await world.http.get("/api/tokens", params=query, headers=bob)).status_code == 200
    listed = await world.http.get("/api/tokens", params=query, headers=world.admin)
    assert [item["id"] for item in listed.json()["items"]] == [made["id"]]
    assert (await world.http.delete(path, headers=world.admin)).status_code == 404
    before = await world.store.latest_change()
    assert (await world.http.delete(path, params=query, headers=world.admin)).status_code == 204
    changes = await world.store.changes(before)
    assert changes is not None
    assert changes[0].affects == {"principal:kc:bob"}


async def test_somebody_who_never_logged_in_gets_no_token_that_could_do_nothing(world: World) -> None:
    service = world.identity(["admins"], subject="kc:service")
    answer = await world.http.post("/api/tokens", json={"name": "x"}, headers=service)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:gatepost:problem:not-a-person")


async def test_tokens_come_page_by_page_newest_first(world: World) -> None:
    made = [
        (await world.http.post("/api/tokens", json={"name": name}, headers=world.admin)).json()["id"]
        for name in ("first", "second", "third")
    ]
    seen, query = [], {"limit": "2"}
    while query:
        page = (await world.http.get("/api/tokens", params=query, headers=world.admin)).json()
        seen.append([item["id"] for item in page["items"]])
        query = {"limit": "2", "cursor": page["next_cursor"]} if page["next_cursor"] else {}
    assert seen == [[made[2], made[1]], [made[0]]]
