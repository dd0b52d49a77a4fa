import asyncio
import time

import pytest

from tests.unit.auth.oauth.conftest import CHALLENGE, VERIFIER, Flow, returned

pytestmark = pytest.mark.anyio


async def test_a_code_that_comes_again_ends_what_was_made_of_it(flow: Flow) -> None:
    code = await flow.code()
    tokens = (await flow.redeem(code)).json()
    again = await flow.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    answer = await flow.world.ask(tokens["access_token"], "/mcp/ledger")
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked")
    assert (await flow.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_of_many_redemptions_at_once_one_gets_tokens_at_most_and_they_end(flow: Flow) -> None:
    code = await flow.code()
    answers = await asyncio.gather(*[flow.redeem(code) for _ in range(5)])
    made = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(made) <= 1
    for tokens in made:
        assert (await flow.world.ask(tokens["access_token"], "/mcp/ledger")).status_code == 401


async def test_a_code_is_over_after_a_minute(flow: Flow) -> None:
    code = await flow.code()
    (kept,) = (await flow.world.parts.store.list("codes")).items
    await flow.world.parts.store.put("codes", kept.id, kept.body, expires_at=time.time() - 1)
    assert (await flow.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_code_of_another_client_is_refused_and_spent(flow: Flow) -> None:
    other = await Flow(flow.world).register()
    code = await flow.code()
    assert (await other.redeem(code)).json()["error"] == "invalid_grant"
    assert (await flow.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "asked",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain", "code_challenge": VERIFIER},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"code_challenge": f"{CHALLENGE}="},
    ],
)
async def test_pkce_has_no_weaker_form(flow: Flow, asked: dict[str, str | None]) -> None:
    assert returned(await flow.authorize(**asked))["error"] == "invalid_request"


@pytest.mark.parametrize("verifier", [None, "v" * 63, "v" * 42, "v" * 129, CHALLENGE, "ü" * 43])
async def test_a_code_counts_only_with_its_verifier(flow: Flow, verifier: str | None) -> None:
    answer = await flow.redeem(await flow.code(), code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
