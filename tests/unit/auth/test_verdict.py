import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.auth.verdict.caller import Caller, Callers, InvalidCredential
from app.core.identity import read
from app.core.tokens import TokenStore, mint

pytestmark = pytest.mark.anyio
NOTHING: dict[str, Any] = {"rights": {}, "identity": None}


@pytest.fixture
async def ledger(world: Any) -> Any:
    await world.server("ledger", timeout_s=30, rate_limit=60, concurrency=8)
    await world.scope("readers", ["fin"], "ledger", ["get_balance"])
    await world.scope("writers", ["fin"], "ledger", ["pay"])
    return world


async def test_a_verdict_says_who_what_and_where(ledger: Any) -> None:
    verdict = await ledger.verdict(await ledger.token(["fin"]), "/mcp/ledger")
    assert verdict["caller"]["principal"] == verdict["caller"]["subject"] == "local:alice"
    assert verdict["caller"]["rights"]["tools/call"] == ["get_balance", "pay"]
    assert verdict["server"]["upstream"] == {
        "scheme": "http",
        "host": "192.0.2.10:9000",
        "sni": "192.0.2.10",
        "target": "/mcp?x=1",
        "addresses": ["192.0.2.10:9000"],
        "connect_timeout_ms": 5_000,
        "read_timeout_ms": 30_000,
        "total_timeout_ms": None,
        "transport": "streamable-http",
    }
    assert verdict["server"]["limits"] == {
        "caller_rate": 60,
        "server_rate": None,
        "caller_concurrency": None,
        "server_concurrency": 8,
    }


async def test_a_server_without_limits_has_no_part_of_them(ledger: Any) -> None:
    await ledger.server("ledger")
    assert (await ledger.verdict(await ledger.token(["fin"]), "/mcp/ledger"))["server"]["limits"] is None


async def test_a_narrowed_token_has_the_rights_of_its_scopes_alone(ledger: Any) -> None:
    verdict = await ledger.verdict(await ledger.token(["fin"], ["readers"]), "/mcp/ledger")
    assert verdict["caller"]["rights"]["tools/call"] == ["get_balance"]


@pytest.mark.parametrize(
    "resource", ["/mcp/nothing", "/mcp/ledger", "/mcp/", "/mcp/../api", "/elsewhere", ""]
)
async def test_without_rights_a_server_looks_like_one_that_does_not_exist(ledger: Any, resource: str) -> None:
    verdict = await ledger.verdict(await ledger.token(["others"]), resource)
    assert verdict["server"] is None
    assert NOTHING.items() <= verdict["caller"].items()


async def test_a_grant_on_every_server_does_not_make_one_exist(ledger: Any) -> None:
    await ledger.scope("all", ["ops"], "*", ["*"])
    verdict = await ledger.verdict(await ledger.token(["ops"]), "/mcp/nothing")
    assert (verdict["caller"]["rights"], verdict["server"]) == ({}, None)


async def test_a_new_server_exposes_nothing(world: Any) -> None:
    await world.server("fresh")
    assert (await world.verdict(await world.token(["admins"]), "/mcp/fresh"))["server"] is None


@pytest.mark.parametrize(
    "authorization", ["Bearer gp_short", "Bearer", "", "Basic YTpi", "Bearer eyJhbGciOiJub25lIn0.e30."]
)
async def test_a_malformed_credential_is_refused(world: Any, authorization: str) -> None:
    headers = {"Authorization": authorization}
    answer = await world.internal.get("/internal/verdict?resource=/api", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_token", "reason": "malformed"}


async def test_an_unknown_token_is_refused(world: Any) -> None:
    assert (await world.ask(mint(), "/api")).json()["reason"] == "unknown"


async def test_an_expired_token_is_refused(world: Any) -> None:
    token = await world.token(["fin"], expires_at=datetime.now(UTC) - timedelta(seconds=1))
    answer = await world.ask(token, "/api")
    assert (answer.status_code, answer.json()["reason"]) == (401, "expired")


async def test_a_revoked_token_is_refused(world: Any) -> None:
    token = await world.token(["fin"])
    assert (await world.ask(token, "/api")).status_code == 200
    tokens = TokenStore(world.parts.store)
    found = await tokens.find(token)
    assert found
    await tokens.revoke("local:alice", found.id)
    answer = await world.ask(token, "/api")
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked")


async def test_a_verdict_ends_with_its_token(world: Any) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=20)
    token = await world.token(["fin"], expires_at=ends)
    verdict = await world.verdict(token, "/api")
    assert verdict["caller"]["expires_at"] == int(ends.timestamp())


async def test_a_verdict_ends_after_its_longest_life(world: Any) -> None:
    before = int(time.time())
    verdict = await world.verdict(await world.token(["fin"]), "/api")
    assert before + 300 <= verdict["caller"]["expires_at"] <= time.time() + 300


@pytest.mark.parametrize("resource", ["/api", "/ui", "/mcp/registry"])
async def test_the_registry_is_told_who_calls(world: Any, resource: str) -> None:
    token = await world.token(["admins", "unmentioned"], ["registry-users"])
    verdict = await world.verdict(token, resource)
    assert verdict["server"]["identity"] is True
    assert verdict["server"]["upstream"]["addresses"] == ["127.0.0.1:8083"]
    identity = read(world.parts.keys, verdict["caller"]["identity"], world.parts.settings.public_url)
    assert (identity.subject, identity.groups, identity.scopes) == (
        "local:alice",
        ["admins"],
        ["registry-users"],
    )


async def test_an_attached_server_is_never_told_who_calls(ledger: Any) -> None:
    verdict = await ledger.verdict(await ledger.token(["fin"]), "/mcp/ledger")
    assert verdict["server"]["identity"] is False
    assert verdict["caller"]["identity"] is None


async def test_a_token_s_use_is_noted(world: Any) -> None:
    await world.ask(await world.token(["fin"]), "/api")
    await world.parts.background.finish()
    assert len(await TokenStore(world.parts.store).last_uses("local:alice")) == 1


async def test_a_credential_that_is_over_by_our_clock_is_expired_whatever_a_reader_allows(world: Any) -> None:
    class Lenient:
        async def caller(self, _value: str, _resource: str) -> Caller:
            return Caller("corp:a", "app", [], None, time.time() - 1)

    callers = Callers([Lenient()], *(None,) * 3, background=None, following=None)  # type: ignore[arg-type]
    with pytest.raises(InvalidCredential, match="expired"):
        await callers.identify("Bearer x", None, "/mcp/ledger")
