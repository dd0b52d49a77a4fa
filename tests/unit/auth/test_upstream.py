import socket
import time
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from app.auth.verdict.schemas import Verdict
from app.core.credentials import ClientCredentials, UpstreamCredential
from app.core.sealing import Sealer
from tests.token_server import TokenServer

pytestmark = pytest.mark.anyio
CREDENTIAL = "Bearer upstream-credential-value"


async def _part(world: Any, slug: str = "ledger") -> dict[str, Any]:
    await world.scope("users", ["*"], slug, ["*"])
    part: dict[str, Any] = (await world.verdict(await world.token([]), f"/mcp/{slug}"))["server"]
    return part


async def test_the_credential_is_in_the_headers_and_nowhere_else(world: Any) -> None:
    await world.server("ledger")
    await world.credential("ledger", {"Authorization": CREDENTIAL})
    await world.scope("users", ["*"], "ledger", ["*"])
    with capture_logs() as logs:
        verdict = await world.verdict(await world.token([]), "/mcp/ledger")
    assert verdict["server"]["headers"] == {"Authorization": CREDENTIAL}
    verdict_model = Verdict.model_validate(verdict)
    del verdict["server"]["headers"]
    for text in (verdict, logs, verdict_model, vars(world.parts), world.parts.snapshot._policy):
        assert CREDENTIAL not in repr(text)


async def test_a_credential_that_cannot_be_opened_refuses_the_server(world: Any) -> None:
    await world.server("ledger")
    await world.parts.store.commit("credentials", "ledger", {"sealed": "v1.00000000.AAAA"})
    part = await _part(world)
    assert (part["refusal"], part["upstream"], part["headers"]) == ("unresolved", None, {})


async def test_a_disabled_server_is_refused_without_its_credential(world: Any) -> None:
    await world.server("ledger", enabled=False)
    await world.credential("ledger", {"Authorization": CREDENTIAL})
    part = await _part(world)
    assert (part["refusal"], part["upstream"], part["headers"]) == ("disabled", None, {})


async def test_a_server_without_an_http_endpoint_is_refused(world: Any) -> None:
    await world.server("local", url=None)
    assert (await _part(world, "local"))["refusal"] == "stdio_only"


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/mcp", "http://10.1.2.3/mcp", "http://nowhere.invalid/mcp", "ftp://host/x"]
)
async def test_an_address_that_must_not_be_reached_is_refused_for_a_short_time(world: Any, url: str) -> None:
    await world.server("ledger", url=url)
    part = await _part(world)
    assert (part["refusal"], part["upstream"]) == ("unresolved", None)
    assert part["refusal_detail"]
    assert part["expires_at"] < (await world.verdict(await world.token([]), "/api"))["server"]["expires_at"]


async def test_blocked_and_quarantined_definitions_are_named_by_kind(world: Any) -> None:
    await world.server("ledger")
    await world.tool("ledger", "pay", "blocked")
    await world.tool("ledger", "get", "active")
    await world.tool("ledger", "ask", "quarantined", "prompt")
    await world.tool("ledger", "file:///a/b", "blocked", "resource")
    await world.tool("ledger", "file:///{x}", "blocked", "template")
    blocked = (await _part(world))["blocked"]
    assert blocked == {"tool": ["pay"], "prompt": ["ask"], "resource": ["file:///a/b", "file:///{x}"]}


async def test_a_server_s_limit_is_never_above_the_gateways_own(world: Any) -> None:
    await world.server("ledger", max_body=10**9)
    assert (await _part(world))["max_body"] == world.parts.settings.max_body


async def test_a_credential_never_goes_to_an_address_it_was_not_set_for(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.server("ledger", "http://192.0.2.10/mcp")
    await world.credential("ledger", {"X-Key": "old"})

    async def move_meanwhile(_hostname: str, _port: int) -> list[str]:
        await world.server("ledger", "http://192.0.2.20/mcp")
        await world.credential("ledger", {"X-Key": "new"})
        await world.parts.snapshot.refresh()
        return ["192.0.2.10:80"]

    monkeypatch.setattr(world.parts.verdicts._servers._upstreams, "of", move_meanwhile)
    assert (await _part(world))["headers"] == {"X-Key": "old"}


async def test_a_name_that_moves_to_a_metadata_address_is_refused_from_then_on(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.verdict.addresses.KEPT_S", 0.0)
    answers = ["192.0.2.10"]
    honest = socket.getaddrinfo

    def rebound(host: Any, *more: Any, **named: Any) -> Any:
        if host != "rebound.example":
            return honest(host, *more, **named)
        return [(socket.AF_INET, 1, 6, "", (answers[0], 443))]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    await world.server("ledger", "https://rebound.example/mcp")
    assert (await _part(world))["upstream"]["addresses"] == ["192.0.2.10:443"]
    answers[0] = "169.254.169.254"
    part = (await world.verdict(await world.token([]), "/mcp/ledger"))["server"]
    assert (part["refusal"], part["upstream"]) == ("unresolved", None)
    assert "never connects there" in part["refusal_detail"]


async def _part_by_token(world: Any, token_url: str) -> dict[str, Any]:
    oauth = ClientCredentials(token_url=token_url, client_id="us", client_secret=SecretStr("hush"))
    sealed = UpstreamCredential(oauth=oauth).seal(Sealer.from_settings(world.parts.settings), "ledger")
    await world.server("ledger")
    await world.parts.store.commit("credentials", "ledger", {"sealed": sealed}, affects={"/mcp/ledger"})
    return await _part(world)


async def test_the_part_of_a_server_ends_before_its_token_does(world: Any) -> None:
    async with TokenServer.running() as endpoint:
        endpoint.life = 20
        part = await _part_by_token(world, endpoint.url)
    assert part["headers"] == {"Authorization": "Bearer token-1"}
    assert part["expires_at"] < endpoint.ends["token-1"]


async def test_a_token_that_cannot_be_had_refuses_the_server_for_a_short_time(world: Any) -> None:
    async with TokenServer.running() as endpoint:
        endpoint.refuse = (401, {"error": "invalid_client"})
        part = await _part_by_token(world, endpoint.url)
    assert (part["refusal"], part["upstream"], part["headers"]) == ("token_endpoint", None, {})
    assert "invalid_client" in part["refusal_detail"]
    assert part["expires_at"] <= time.time() + 10
