import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from app.auth.oauth.refresh_tokens import RefreshToken
from app.auth.providers.base import LoginRefused, Person, ProviderUnavailable
from tests.unit.auth.oauth.conftest import HERE, Flow, preregister

pytestmark = pytest.mark.anyio


async def reason(flow: Flow, value: str, resource: str = "/mcp/ledger") -> str:
    answer = await flow.world.ask(value, resource)
    return "" if answer.status_code == 200 else answer.json()["reason"]


async def test_a_refresh_gives_both_tokens_anew(flow: Flow) -> None:
    first = await flow.tokens()
    second = (await flow.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    third = await flow.refresh(second["refresh_token"])
    assert third.status_code == 200
    assert await reason(flow, third.json()["access_token"]) == ""


async def test_a_refresh_token_that_comes_again_later_ends_everything_made_of_the_grant(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await flow.tokens()
    second = (await flow.refresh(first["refresh_token"])).json()
    before = await flow.world.parts.store.latest_change()
    later = time.time() + 31
    monkeypatch.setattr("time.time", lambda: later)
    again = await flow.refresh(first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await flow.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    assert await reason(flow, second["access_token"]) == "revoked"
    epoch = await flow.world.internal.get("/internal/epoch", params={"since": before})
    assert epoch.json()["affects"] == ["principal:local:admin"]


async def test_a_refresh_token_ends_the_grant_at_once_where_its_successor_was_used(flow: Flow) -> None:
    first = await flow.tokens()
    second = (await flow.refresh(first["refresh_token"])).json()
    third = (await flow.refresh(second["refresh_token"])).json()
    assert (await flow.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await flow.refresh(third["refresh_token"])).json()["error"] == "invalid_grant"
    assert await reason(flow, third["access_token"]) == "revoked"


async def test_an_answer_that_was_lost_is_given_again(flow: Flow) -> None:
    first = await flow.tokens()
    lost = (await flow.refresh(first["refresh_token"])).json()
    again = (await flow.refresh(first["refresh_token"])).json()
    assert again["refresh_token"] == lost["refresh_token"]
    assert await reason(flow, again["access_token"]) == ""


async def test_two_processes_of_a_client_that_refresh_at_once_hold_the_same_token(flow: Flow) -> None:
    first = await flow.tokens()
    answers = await asyncio.gather(*[flow.refresh(first["refresh_token"]) for _ in range(4)])
    (following,) = {answer.json()["refresh_token"] for answer in answers}
    assert (await flow.refresh(following)).status_code == 200


async def test_the_next_refresh_token_cannot_be_told_from_the_store_alone(flow: Flow) -> None:
    first = await flow.tokens()
    following = (await flow.refresh(first["refresh_token"])).json()["refresh_token"]
    (grant,) = (await flow.world.parts.store.list("grants")).items
    assert RefreshToken.parse(following).secret not in str(grant.body)
    assert grant.body["seed"].startswith("v1.")


async def test_whoever_knows_only_a_grant_s_id_cannot_end_it(flow: Flow) -> None:
    first = await flow.tokens()
    start, _, secret = first["refresh_token"].partition(".")
    assert (await flow.refresh(f"{start}.{secret[::-1]}")).json()["error"] == "invalid_grant"
    assert (await flow.refresh(first["refresh_token"])).status_code == 200


async def test_another_client_s_refresh_token_is_worth_nothing(flow: Flow) -> None:
    first = await flow.tokens()
    other = await Flow(flow.world).register()
    assert (await other.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await flow.refresh(first["refresh_token"])).status_code == 200


async def test_a_refresh_narrows_and_never_widens(flow: Flow) -> None:
    whole = await flow.tokens()
    narrow = (await flow.refresh(whole["refresh_token"], scope="ledger-readers")).json()
    verdict = await flow.world.verdict(narrow["access_token"], "/mcp/ledger")
    assert verdict["caller"]["rights"]["tools/call"] == ["read"]
    readers = await flow.tokens("ledger-readers", scope="ledger-readers", prompt="consent")
    wide = await flow.refresh(readers["refresh_token"], scope="ledger-readers ledger-writers")
    assert wide.json()["error"] == "invalid_scope"
    elsewhere = await flow.refresh(readers["refresh_token"], resource=f"{HERE}/mcp/other")
    assert elsewhere.json()["error"] == "invalid_target"
    assert (await flow.refresh(readers["refresh_token"])).json()["scope"] == "ledger-readers"


async def test_a_token_for_all_servers_narrows_to_one_and_not_to_the_api(flow: Flow) -> None:
    whole = await flow.tokens(resource=None)
    one = (await flow.refresh(whole["refresh_token"], resource=f"{HERE}/mcp/ledger")).json()
    assert await reason(flow, one["access_token"]) == ""
    assert await reason(flow, one["access_token"], "/mcp/other") == "audience"
    assert (await flow.refresh(one["refresh_token"], resource=f"{HERE}/api")).json()[
        "error"
    ] == "invalid_target"


async def test_a_person_s_groups_are_those_of_now(flow: Flow) -> None:
    tokens = await flow.tokens()
    await flow.world.parts.people.record(Person("local:admin", "local", []))
    verdict = await flow.world.verdict(tokens["access_token"], "/mcp/ledger")
    assert verdict["caller"]["rights"] == {}
    await flow.refresh(tokens["refresh_token"])
    verdict = await flow.world.verdict(tokens["access_token"], "/mcp/ledger")
    assert verdict["caller"]["rights"]


async def test_a_person_who_is_gone_gets_no_more_tokens(flow: Flow) -> None:
    tokens = await flow.tokens()
    await flow.world.parts.store.delete("users", "admin")
    assert (await flow.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert await reason(flow, tokens["access_token"]) == "revoked"


@pytest.mark.parametrize(("failure", "status"), [(LoginRefused, 400), (ProviderUnavailable, 200)])
async def test_a_refusal_of_the_provider_ends_the_grant_and_an_outage_does_not(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, failure: type[Exception], status: int
) -> None:
    async def renew(_login: str) -> None:
        raise failure("the provider's words")

    tokens = await flow.tokens()
    monkeypatch.setattr(flow.world.parts.renewal, "renew", renew)
    assert (await flow.refresh(tokens["refresh_token"])).status_code == status
    assert await reason(flow, tokens["access_token"]) == ("revoked" if status == 400 else "")


async def test_tokens_of_a_client_that_was_deleted_end(flow: Flow) -> None:
    await preregister(flow.world, "portal", redirect_uris=[flow.redirect_uri])
    portal = Flow(flow.world, "portal")
    tokens = await portal.tokens()
    await flow.world.parts.store.commit("clients", "portal", None)
    assert await reason(flow, tokens["access_token"]) == "revoked"
    assert (await portal.refresh(tokens["refresh_token"])).status_code == 401


async def test_a_client_that_is_made_anew_has_nothing_of_the_one_before(flow: Flow) -> None:
    await preregister(flow.world, "portal", redirect_uris=[flow.redirect_uri])
    tokens = await Flow(flow.world, "portal").tokens()
    later = datetime.fromtimestamp(time.time() + 60, UTC).isoformat()
    await preregister(flow.world, "portal", redirect_uris=[flow.redirect_uri], created_at=later)
    assert await reason(flow, tokens["access_token"]) == "revoked"


@pytest.mark.parametrize("value", ["", "gpr_x", f"gpr_{'0' * 32}.{'a' * 65}", f"gpr_{'٠' * 32}.{'a' * 65}"])
async def test_what_is_no_refresh_token_is_refused(flow: Flow, value: str) -> None:
    answer: Any = await flow.refresh(value)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_login_is_worked_by_until_its_grant_is_revoked(flow: Flow) -> None:
    await flow.tokens()
    grants = flow.world.parts.grants
    (grant,) = await grants.of("local:admin")
    assert await grants.work_by(grant.login)
    await grants.revoke(grant.id)
    assert not await grants.work_by(grant.login)
