"""What a verdict says of scopes that a client could ask for."""

from dataclasses import replace
from typing import Any

import pytest

from app.auth.verdict.caller import Caller

pytestmark = pytest.mark.anyio
CALLER = Caller("local:alice", "web", ["fin"], ["readers"], None, steps_up=True, refreshes=True)
PAY = {"tools/list": ["pay"], "tools/call": ["pay"]}


@pytest.fixture
async def ledger(world: Any) -> Any:
    await world.server("ledger")
    await world.scope("readers", ["fin"], "ledger", ["get_balance"])
    await world.scope("writers", ["fin"], "ledger", ["pay"])
    await world.scope("owners", ["board"], "ledger", ["close"])
    await world.scope("elsewhere", ["fin"], "other", ["x"])
    return world


async def decided(world: Any, caller: Caller, resource: str = "/mcp/ledger") -> Any:
    epoch = await world.parts.snapshot.refresh()
    verdict = await world.parts.verdicts.decide(caller, resource, epoch)
    return verdict.model_dump(mode="json")


async def test_a_narrowed_token_is_told_the_scopes_of_its_owner_that_add_rights_here(ledger: Any) -> None:
    part = (await decided(ledger, CALLER))["caller"]
    assert part["wider"] == [{"scope": "writers", "rights": PAY}]
    assert part["scopes"] == ["readers", "offline_access"]
    assert part["rights"]["tools/call"] == ["get_balance"]


async def test_a_token_without_rights_here_learns_of_a_server_that_its_owner_may_use(ledger: Any) -> None:
    narrowed = replace(CALLER, scopes=["elsewhere"])
    verdict = await decided(ledger, narrowed)
    assert verdict["caller"]["rights"] == {}
    assert [wider["scope"] for wider in verdict["caller"]["wider"]] == ["readers", "writers"]
    assert (await decided(ledger, narrowed, "/mcp/nothing"))["caller"]["wider"] == []


@pytest.mark.parametrize(
    "caller",
    [
        replace(CALLER, steps_up=False),
        replace(CALLER, scopes=None),
        replace(CALLER, scopes=["readers", "writers"]),
        replace(CALLER, groups=[]),
    ],
    ids=["cannot-ask", "not-narrowed", "has-all", "in-no-group"],
)
async def test_nobody_else_is_told_anything(ledger: Any, caller: Caller) -> None:
    for resource in ("/mcp/ledger", "/mcp/other", "/api", "/ui"):
        part = (await decided(ledger, caller, resource))["caller"]
        assert (part["scopes"], part["wider"]) == ([], [])


async def test_of_an_agent_it_is_the_actions_that_a_scope_adds(world: Any) -> None:
    await world.agent("auditor")
    await world.agent_scope("readers", ["fin"], "auditor", "read")
    await world.agent_scope("callers", ["fin"], "auditor", "invoke")
    part = (await decided(world, CALLER, "/a2a/auditor"))["caller"]
    assert part["wider"] == [{"scope": "callers", "rights": {"invoke": ["*"]}}]
