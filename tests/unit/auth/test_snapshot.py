from typing import Any

import pytest

from app.auth.parts import assemble
from app.core.store import open_store

pytestmark = pytest.mark.anyio


async def test_a_verdict_is_as_new_as_its_epoch_says(world: Any) -> None:
    token = await world.token(["fin"])
    await world.server("ledger")
    for tool in ("a", "b", "c"):
        await world.scope("readers", ["fin"], "ledger", [tool])
        number = await world.parts.store.latest_change()
        verdict = await world.verdict(token, "/mcp/ledger")
        assert (verdict["epoch"], verdict["caller"]["rights"]["tools/call"]) == (number, [tool])


async def test_what_was_deleted_is_gone_at_once(world: Any) -> None:
    token = await world.token(["fin"])
    await world.server("ledger")
    await world.scope("readers", ["fin"], "ledger", ["*"])
    assert (await world.verdict(token, "/mcp/ledger"))["server"]
    await world.parts.store.commit("servers", "ledger", None, affects={"/mcp/ledger"})
    assert (await world.verdict(token, "/mcp/ledger"))["server"] is None


async def test_an_unblocked_tool_is_free_again(world: Any) -> None:
    await world.server("ledger")
    await world.scope("all", ["*"], "ledger", ["*"])
    token = await world.token([])
    for state, names in (("blocked", ["pay"]), ("active", [])):
        await world.tool("ledger", "pay", state)
        assert (await world.verdict(token, "/mcp/ledger"))["server"]["blocked"]["tool"] == names


async def test_a_process_that_starts_later_knows_the_same(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.snapshot.PAGE", 1)
    await world.parts.snapshot.refresh()
    await world.server("ledger")
    await world.scope("readers", ["fin"], "ledger", ["a"])
    await world.tool("ledger", "a", "quarantined")
    await world.credential("ledger", {"X-Key": "value"})
    await world.server("payroll")
    await world.parts.snapshot.refresh()
    later = await assemble(world.parts.settings, world.parts.store)
    await later.snapshot.refresh()
    assert later.snapshot._policy == world.parts.snapshot._policy


async def test_a_scope_that_cannot_be_read_grants_nothing_and_harms_no_other(world: Any) -> None:
    await world.server("ledger")
    await world.scope("readers", ["fin"], "ledger", ["a"])
    await world.parts.store.commit("scopes", "broken", {"groups": "fin"})
    verdict = await world.verdict(await world.token(["fin"]), "/mcp/ledger")
    assert verdict["caller"]["rights"]["tools/call"] == ["a"]


async def test_a_store_put_back_from_a_backup_is_read_anew(
    world: Any, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await world.server("ledger")
    await world.server("payroll")
    await world.parts.snapshot.refresh()
    elsewhere = {
        "state_dir": tmp_path_factory.mktemp("backup"),
        "mongodb_collection_prefix": f"{world.parts.settings.mongodb_collection_prefix}backup_",
    }
    backup = await open_store(world.parts.settings.model_copy(update=elsewhere))
    monkeypatch.setattr(world.parts.snapshot, "_store", backup)
    assert await world.parts.snapshot.refresh() == 0
    assert world.parts.snapshot.server("ledger") is None
    await backup.close()
