import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from tests.unit.registry.conftest import World

pytestmark = pytest.mark.anyio
SECRET = "shared by gateway and registry"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def line(number: int, **more: Any) -> dict[str, Any]:
    """The line of a call `number` seconds after noon."""
    known = {"subject": "local:alice", "server": "ledger", "method": "tools/call", "tool": "add"}
    outcome = {"decision": "allow", "rule": None, "status": 200}
    at = (NOON + timedelta(seconds=number)).isoformat()
    return {"time": at, "request_id": f"r{number}", **known, **outcome, **more}


@pytest.fixture(autouse=True)
def secret(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(world.settings.__dict__, "gateway_secret", SecretStr(SECRET))


async def send(world: World, lines: Iterable[dict[str, Any] | str], secret: str = SECRET) -> httpx2.Response:
    text = "".join((found if isinstance(found, str) else json.dumps(found)) + "\n" for found in lines)
    headers = {b"Gatepost-Gateway-Secret": secret.encode()}
    return await world.http.post("/internal/audit", content=text.encode(), headers=headers)


async def listed(world: World, query: str = "") -> list[str]:
    return [event["request_id"] for event in (await world.get(f"/api/audit?{query}"))["items"]]


async def test_lines_are_listed_newest_first_as_they_were_written(world: World) -> None:
    assert (await send(world, [line(1), line(2, agent="x"), line(0)])).json() == {"stored": 3, "broken": 0}
    events = (await world.get("/api/audit"))["items"]
    assert [event["request_id"] for event in events] == ["r2", "r1", "r0"]
    assert events[0] == {
        **line(2, agent="x"),
        "time": "2026-01-31T12:00:02Z",
        **dict.fromkeys(["client", "bytes", "upstream_time", "total_time", "trace_id"]),
    }


async def test_a_line_that_comes_twice_is_kept_once(world: World) -> None:
    await send(world, [line(1), line(2)])
    assert (await send(world, [line(2), line(3), line(3)])).json() == {"stored": 1, "broken": 0}
    assert await listed(world) == ["r3", "r2", "r1"]


async def test_broken_lines_are_counted_and_hold_up_no_others(world: World) -> None:
    assert (await send(world, ["no JSON", line(1), "", '{"time":"'])).json() == {"stored": 1, "broken": 2}
    assert await listed(world) == ["r1"]


@pytest.mark.parametrize("given", ["", "another secret", "ümlaut"])
async def test_lines_are_taken_from_whoever_has_the_secret_alone(world: World, given: str) -> None:
    answer = await send(world, [line(1)], given)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:gatepost:problem:not-the-gateway")
    assert await listed(world) == []


async def test_without_a_secret_nobody_may_send(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(world.settings.__dict__, "gateway_secret", None)
    assert (await send(world, [line(1)], "")).status_code == 403


async def test_a_body_that_is_too_long_is_refused(world: World) -> None:
    assert (await send(world, [line(1, tool="x" * 2**20)])).status_code == 413


async def test_events_are_chosen_by_what_they_say(world: World) -> None:
    refused = {"decision": "deny", "rule": "scope", "tool": "drop"}
    await send(world, [line(1), line(2, server="wiki"), line(3, subject="local:bob"), line(4, **refused)])
    chosen = {
        "server=wiki": ["r2"],
        "subject=local:bob&server=ledger": ["r3"],
        "decision=deny": ["r4"],
        "rule=scope&tool=drop&method=tools/call": ["r4"],
        "tool=drop&subject=local:bob": [],
        "since=2026-01-31T12:00:02Z&until=2026-01-31T12:00:03Z": ["r3", "r2"],
        "since=2026-01-31T13:00:04%2B01:00": ["r4"],
    }
    assert {query: await listed(world, query) for query in chosen} == chosen


async def test_pages_go_on_where_the_last_one_ended(world: World) -> None:
    await send(world, [line(n, tool="odd" if n % 2 else "even") for n in range(1200)])
    for query, expected in (("tool=odd", range(1199, 0, -2)), ("server=ledger", range(1199, -1, -1))):
        found: list[str] = []
        cursor = ""
        while True:
            page = await world.get(f"/api/audit?{query}&limit=250{cursor and f'&cursor={cursor}'}")
            found += [event["request_id"] for event in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = page["next_cursor"]
        assert found == [f"r{n}" for n in expected]


async def test_a_search_for_what_is_rare_ends_early_with_a_cursor(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.registry.audit.repository.SCANNED", 1000)
    await send(world, [line(n) for n in range(1200)])
    page = await world.get("/api/audit?tool=nothing")
    assert page["items"] == []
    last = await world.get(f"/api/audit?tool=nothing&cursor={page['next_cursor']}")
    assert last == {"items": [], "next_cursor": None}


async def test_reading_needs_a_right_and_that_on_one_server_reaches_its_events(world: World) -> None:
    await send(world, [line(1), line(2, server="wiki")])
    await world.scope("some", ["some"], registry=[{"actions": ["audit:read"], "servers": ["wiki"]}])
    caller = world.identity(["some"])

    async def answer(query: str) -> httpx2.Response:
        return await world.http.get(f"/api/audit{query}", headers=caller)

    assert [event["request_id"] for event in (await answer("?server=wiki")).json()["items"]] == ["r2"]
    assert [(await answer(query)).status_code for query in ("", "?server=ledger")] == [403, 403]


async def test_an_event_is_kept_as_long_as_the_setting_says(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(world.settings.__dict__, "audit_retention_days", 0)
    assert (await send(world, [line(1)])).json()["stored"] == 1
    assert await listed(world) == []
