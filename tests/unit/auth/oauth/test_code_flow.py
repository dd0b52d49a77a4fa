import time
from typing import Any

import pytest

from app.auth.oauth.access import unproven
from tests.unit.auth.oauth.conftest import HERE, LEDGER, VERIFIER, Flow, login_next, returned

pytestmark = pytest.mark.anyio


async def test_from_a_login_and_a_consent_to_a_verdict_at_that_server(flow: Flow) -> None:
    page = await flow.authorize()
    assert "Tester" in page.text
    answer = await flow.answer(page)
    assert answer.headers["location"].startswith("https://app.example/callback?")
    back = returned(answer)
    assert (back["state"], back["iss"]) == ("s1", HERE)
    tokens = await flow.redeem(back["code"])
    assert tokens.headers["cache-control"] == "no-store"
    assert tokens.json() == {
        "access_token": tokens.json()["access_token"],
        "refresh_token": tokens.json()["refresh_token"],
        "token_type": "Bearer",
        "expires_in": pytest.approx(870, abs=5),
    }
    verdict = await flow.world.verdict(tokens.json()["access_token"], "/mcp/ledger")
    assert verdict["caller"]["subject"] == "local:admin"
    assert verdict["caller"]["client"] == flow.client_id
    assert verdict["caller"]["rights"]["tools/call"] == ["read", "write"]


async def test_a_client_hears_that_its_token_ends_before_it_does(flow: Flow) -> None:
    """One that refreshes in time is never refused, and never asks its person anew."""
    before = time.time()
    tokens = await flow.tokens()
    ends = unproven(tokens["access_token"])[1]["exp"]
    assert before + tokens["expires_in"] < ends - 10


async def test_without_a_session_the_request_goes_through_the_login_unchanged(flow: Flow) -> None:
    flow.public.cookies.clear()
    asked = await flow.authorize()
    answer = await flow.world.log_in(next=login_next(asked))
    page = await flow.public.get(answer.headers["location"])
    assert (await flow.redeem(returned(await flow.answer(page))["code"])).status_code == 200


async def test_prompt_login_shows_the_login_once(flow: Flow) -> None:
    asked = await flow.authorize(prompt="login consent")
    assert "choose=true" in asked.headers["location"]
    assert (await flow.public.get(login_next(asked))).status_code == 200


async def test_prompt_none_shows_no_page(flow: Flow) -> None:
    assert returned(await flow.authorize(prompt="none"))["error"] == "consent_required"
    flow.public.cookies.clear()
    assert returned(await flow.authorize(prompt="none"))["error"] == "login_required"


async def test_what_was_given_once_to_a_site_is_given_again_without_a_page(flow: Flow) -> None:
    await flow.tokens()
    assert "code" in returned(await flow.authorize())
    assert "code" in returned(await flow.authorize(scope="ledger-readers"))
    assert (await flow.authorize(prompt="consent")).status_code == 200
    assert (await flow.authorize(resource=f"{HERE}/mcp/other")).status_code == 200


async def test_more_than_was_given_is_asked_for_again(flow: Flow) -> None:
    await flow.tokens("ledger-readers", scope="ledger-readers")
    assert "code" in returned(await flow.authorize(scope="ledger-readers"))
    assert (await flow.authorize(scope="ledger-readers ledger-writers")).status_code == 200
    assert (await flow.authorize()).status_code == 200


@pytest.mark.parametrize("place", ["http://127.0.0.1:9000/cb", "http://[::1]:9000/cb", "com.example.app:/cb"])
async def test_a_program_on_the_device_is_asked_about_every_time_with_a_warning(
    flow: Flow, place: str
) -> None:
    native = await Flow(flow.world, redirect_uri=place).register(application_type="native")
    assert "could pose as" in (await native.authorize()).text
    await native.tokens()
    assert (await native.authorize()).status_code == 200


async def test_a_person_gives_less_than_all(flow: Flow) -> None:
    tokens = await flow.tokens("ledger-readers")
    assert tokens["scope"] == "ledger-readers"
    verdict = await flow.world.verdict(tokens["access_token"], "/mcp/ledger")
    assert verdict["caller"]["rights"]["tools/call"] == ["read"]


async def test_scopes_that_a_client_names_are_all_it_can_get(flow: Flow) -> None:
    page = await flow.authorize(scope="ledger-readers others offline_access")
    assert "ledger-writers" not in page.text
    assert "others" not in page.text
    assert 'value="all"' not in page.text
    assert (await flow.answer(page, "ledger-writers")).status_code == 422
    assert (await flow.answer(page, reach="all")).status_code == 422
    assert "code" in returned(await flow.answer(page, "ledger-readers"))


async def test_scopes_of_others_are_nothing_to_allow(flow: Flow) -> None:
    page = await flow.authorize(scope="others")
    assert 'value="allow"' not in page.text
    assert returned(await flow.answer(page, decision="deny"))["error"] == "access_denied"


async def test_scopes_that_nobody_knows_are_refused(flow: Flow) -> None:
    assert returned(await flow.authorize(scope="mcp:tools"))["error"] == "invalid_scope"


async def test_a_client_that_names_no_resource_reaches_all_servers_and_not_the_api(flow: Flow) -> None:
    tokens = await flow.tokens(resource=None)
    value = tokens["access_token"]
    assert (await flow.world.verdict(value, "/mcp/ledger"))["caller"]["rights"]
    for path in ("/api", "/ui"):
        refused = await flow.world.ask(value, path)
        assert (refused.status_code, refused.json()["reason"]) == (401, "audience")


async def test_resources_are_the_same_with_a_trailing_slash_and_whether_they_exist(flow: Flow) -> None:
    assert (await flow.authorize(resource=f"{LEDGER}/")).status_code == 200
    assert (await flow.authorize(resource=f"{HERE}/mcp/nowhere")).status_code == 200


@pytest.mark.parametrize(
    "resource",
    ["https://evil.example", f"{HERE}1/mcp/ledger", f"{HERE}/mcp", f"{HERE}/ui", f"{LEDGER}?x", f"{LEDGER}//",
     f"{HERE}@evil.example/mcp/ledger", f"{HERE}/mcp/../api"],
)  # fmt: skip
async def test_what_is_no_resource_of_ours_is_no_target(flow: Flow, resource: str) -> None:
    assert returned(await flow.authorize(resource=resource))["error"] == "invalid_target"


async def test_a_client_without_the_grant_type_gets_no_refresh_token(world: Any, flow: Flow) -> None:
    one_time = await Flow(world).register(grant_types=["authorization_code"])
    assert "refresh_token" not in await one_time.tokens()
    assert flow.client_id != one_time.client_id


async def test_the_token_request_may_leave_out_the_redirect_uri(flow: Flow) -> None:
    assert (await flow.redeem(await flow.code(), redirect_uri=None)).status_code == 200


async def test_no_secret_of_a_flow_is_in_the_store(flow: Flow) -> None:
    code = await flow.code()
    tokens = (await flow.redeem(code)).json()
    store = flow.world.parts.store
    kept = "".join(
        [repr(await store.list(name)) for name in ("codes", "used_codes", "grants", "consents", "clients")]
    )
    for secret in (code, tokens["access_token"], tokens["refresh_token"][-40:], VERIFIER):
        assert secret not in kept


async def test_a_request_that_no_login_can_take_along_is_refused_to_its_client(flow: Flow) -> None:
    flow.public.cookies.clear()
    program = await Flow(flow.world, redirect_uri="http://127.0.0.1:9/callback").register()
    answer = await program.authorize(state="s" * 4000)
    back = returned(answer)
    assert (back["error"], back["state"]) == ("invalid_request", "s" * 4000)
