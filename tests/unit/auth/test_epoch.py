from typing import Any

import pytest

from app.core.tokens import TokenStore

pytestmark = pytest.mark.anyio


async def _epoch(world: Any, since: int | None = None) -> dict[str, Any]:
    params = {} if since is None else {"since": since}
    answer: dict[str, Any] = (await world.internal.get("/internal/epoch", params=params)).json()
    return answer


async def test_the_epoch_names_exactly_what_changed(world: Any) -> None:
    token = await world.token(["fin"])
    before = (await _epoch(world))["epoch"]
    await world.server("ledger")
    await world.tool("payroll", "pay", "blocked")
    tokens = TokenStore(world.parts.store)
    found = await tokens.find(token)
    assert found
    await tokens.revoke("local:alice", found.id)
    assert await _epoch(world, before) == {
        "epoch": before + 3,
        "affects": ["/mcp/ledger", "/mcp/payroll", "principal:local:alice"],
    }
    assert (await _epoch(world, before + 2))["affects"] == ["principal:local:alice"]


async def test_nothing_is_named_where_nothing_changed(world: Any) -> None:
    newest = (await _epoch(world))["epoch"]
    assert await _epoch(world, newest) == {"epoch": newest, "affects": []}


async def test_verdicts_and_logins_move_no_epoch(world: Any) -> None:
    token = await world.token(["fin"])
    before = (await _epoch(world))["epoch"]
    await world.verdict(token, "/api")
    await world.log_in()
    await world.parts.background.finish()
    assert (await _epoch(world))["epoch"] == before


async def test_a_number_of_another_store_means_everything(world: Any) -> None:
    newest = (await _epoch(world))["epoch"]
    assert await _epoch(world, newest + 5) == {"epoch": newest, "affects": ["*"]}


async def test_more_changes_than_a_page_are_all_named(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.auth.epoch.service.PAGE", 2)
    before = (await _epoch(world))["epoch"]
    for slug in "abcde":
        await world.server(slug)
    assert (await _epoch(world, before))["affects"] == [f"/mcp/{slug}" for slug in "abcde"]
