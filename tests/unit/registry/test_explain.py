from typing import Any

import pytest

from tests.unit.registry.conftest import World

pytestmark = pytest.mark.anyio
READERS = {
    "name": "readers",
    "groups": ["fin"],
    "servers": [{"server": "ledger", "methods": ["tools/list", "tools/call"], "tools": ["get_balance"]}],
}
BALANCE = {"server": "ledger", "tool": "get_balance"}


@pytest.fixture
async def ledger(world: World) -> World:
    await world.add("ledger", "http://127.0.0.1:9/mcp")
    await world.scope(**READERS)
    await world.person("kc:bob", "fin")
    return world


async def ask(world: World, headers: dict[str, str] | None = None, **asked: Any) -> dict[str, Any]:
    answer = await world.http.post("/api/scopes/explain", json=asked, headers=headers or world.admin)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refusal(world: World, headers: dict[str, str] | None = None, **asked: Any) -> tuple[int, str]:
    answer = await world.http.post("/api/scopes/explain", json=asked, headers=headers or world.admin)
    return answer.status_code, answer.json()["type"].removeprefix("urn:gatepost:problem:")


async def test_a_person_is_allowed_by_a_scope_for_a_group_that_counts_as_ours_now(ledger: World) -> None:
    found = await ask(ledger, subject="kc:bob", **BALANCE)
    assert (found["allowed"], found["by"]) == (True, [{"scope": "readers", "groups": ["fin"]}])
    path, mapping = "/api/group-mappings/kc?group=fin", {"groups": ["sales"]}
    await ledger.http.put(path, json=mapping, headers=ledger.admin)
    found = await ask(ledger, subject="kc:bob", **BALANCE)
    assert (found["allowed"], found["groups"], found["by"]) == (False, ["sales"], [])
    assert found["would_help"] == [{"scope": "readers", "groups": ["fin"], "token": False}]
    assert found["near"][0]["lacks"] == [{"rule": "group", "detail": "it is for the groups fin"}]


async def test_a_narrowed_token_and_a_name_that_is_missing_are_told_apart(ledger: World) -> None:
    narrowed = await ask(ledger, groups=["fin"], scopes=["registry-users"], **BALANCE)
    assert narrowed["would_help"] == [{"scope": "readers", "groups": [], "token": True}]
    other = await ask(ledger, groups=["fin"], server="ledger", tool="drop")
    assert [lack["rule"] for lack in other["near"][0]["lacks"]] == ["tool"]
    assert other["would_help"] == []
    prompts = await ask(ledger, groups=["fin"], server="ledger", method="prompts/list")
    assert [lack["rule"] for lack in prompts["near"][0]["lacks"]] == ["method"]


async def test_what_stops_everybody_is_told_although_a_scope_allows_it(ledger: World) -> None:
    record = {"server": "ledger", "kind": "tool", "name": "get_balance", "definition": {}, "hash": "h"}
    await ledger.store.commit("tools", "ledger/tool/get_balance", {**record, "state": "quarantined"})
    found = await ask(ledger, groups=["fin"], **BALANCE)
    assert (found["allowed"], [scope["scope"] for scope in found["by"]]) == (False, ["readers"])
    assert [reason["rule"] for reason in found["obstacles"]] == ["blocked"]
    await ledger.http.post("/api/servers/ledger/disable", headers=ledger.admin)
    rules = [
        (await ask(ledger, groups=["fin"], **asked))["obstacles"][0]["rule"]
        for asked in (
            BALANCE,
            {"server": "nowhere", "tool": "x"},
            {"server": "ledger", "method": "tools/destroy"},
            {"agent": "nobody"},
        )
    ]
    assert rules == ["disabled", "server", "unknown_method", "agent"]


async def test_a_disabled_agent_is_not_called_and_its_card_is_still_read(ledger: World) -> None:
    settings = {"slug": "auditor", "enabled": False}
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
    entry = {"card": {"supportedInterfaces": []}, "settings": settings, **times}
    await ledger.store.commit("agents", "auditor", entry)
    await ledger.scope("auditors", ["audit"], agents=[{"agent": "auditor", "actions": ["*"]}])
    called = await ask(ledger, groups=["audit"], agent="auditor")
    assert (called["allowed"], called["obstacles"][0]["rule"]) == (False, "disabled")
    assert (await ask(ledger, groups=["audit"], agent="auditor", action="read"))["allowed"]


async def test_actions_at_the_registry_are_explained_too(ledger: World) -> None:
    found = await ask(ledger, subject="local:alice", registry="scopes:write")
    assert found["by"] == [{"scope": "admins", "groups": ["admins"]}]
    found = await ask(ledger, subject="kc:bob", registry="servers:write", server="ledger")
    assert [lack["rule"] for lack in found["near"][0]["lacks"]] == ["group"]


async def test_a_draft_is_a_dry_run_that_says_the_difference_and_saves_nothing(ledger: World) -> None:
    wider = {**READERS, "servers": [{**READERS["servers"][0], "tools": ["get_balance", "drop"]}]}  # type: ignore[index]
    before = await ledger.store.latest_change()
    found = await ask(ledger, subject="kc:bob", server="ledger", tool="drop", draft=[wider])
    assert found["allowed"]
    assert found["difference"]["allowed_before"] is False
    assert found["difference"]["gained"]["servers"] == {
        "ledger": {"tools/list": ["drop"], "tools/call": ["drop"]}
    }
    assert found["difference"]["lost"]["servers"] == {}
    gone = await ask(ledger, subject="kc:bob", without=["readers"], **BALANCE)
    assert (gone["allowed"], gone["difference"]["allowed_before"]) == (False, True)
    assert gone["difference"]["lost"]["servers"]["ledger"]["tools/call"] == ["get_balance"]
    assert await ledger.store.latest_change() == before


async def test_anybody_may_ask_about_themselves_and_hears_of_no_others_scopes(ledger: World) -> None:
    await ledger.scope("own", ["ops"], servers=[{"server": "ledger", "methods": ["ping", "tools/list"]}])
    await ledger.person("kc:carol", "ops")
    carol = ledger.identity(["ops"], subject="kc:carol")
    found = await ask(ledger, carol, **BALANCE)
    assert (found["subject"], found["allowed"]) == ("kc:carol", False)
    assert [scope["scope"] for scope in found["near"]] == ["own"]
    assert found["would_help"] == []
    agent = ledger.identity(["fin"], subject="kc:service")
    assert (await ask(ledger, agent, **BALANCE))["by"] == [{"scope": "readers", "groups": ["fin"]}]


async def test_a_server_that_one_does_not_see_is_explained_like_one_that_is_not_there(ledger: World) -> None:
    stranger = ledger.identity([], subject="kc:carol")
    await ledger.http.post("/api/servers/ledger/disable", headers=ledger.admin)
    hidden = await ask(ledger, stranger, **BALANCE)
    assert hidden == await ask(ledger, stranger, server="nowhere", tool="get_balance")


async def test_others_and_drafts_need_the_right_to_read_scopes(ledger: World) -> None:
    carol = ledger.identity(["ops"], subject="kc:carol")
    for asked in ({"subject": "kc:bob"}, {"groups": []}, {"without": ["readers"]}, {"subject": "kc:nobody"}):
        assert await refusal(ledger, carol, **BALANCE, **asked) == (403, "forbidden")
    assert await refusal(ledger, subject="kc:nobody", **BALANCE) == (404, "no-such-person")
    assert await refusal(ledger, without=["nothing"], **BALANCE) == (422, "unknown-scope")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"server": "ledger"},
        {"server": "ledger", "method": "tools/call"},
        {"server": "ledger", "method": "tools/call", "prompt": "x"},
        {"server": "ledger", "tool": "x", "prompt": "y"},
        {"server": "ledger", "agent": "a"},
        {"server": "*", "tool": "x"},
        {"agent": "a", "method": "tools/list"},
        {"registry": "servers:read", "tool": "x"},
        {"registry": "servers:read", "server": "s", "agent": "a"},
        {"subject": "kc:bob", "groups": [], "server": "ledger", "tool": "x"},
        {"tool": "x"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(world: World, asked: dict[str, Any]) -> None:
    assert await refusal(world, **asked) == (422, "invalid-request")
