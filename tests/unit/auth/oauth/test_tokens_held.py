from typing import Any

import pytest

from tests.unit.auth.oauth.conftest import HERE, LEDGER, Flow, preregister

pytestmark = pytest.mark.anyio


async def post(flow: Flow, path: str, token: str, **client: Any) -> Any:
    given = client or {"client_id": flow.client_id}
    return await flow.public.post(path, data={"token": token, **given})


async def status(flow: Flow, token: str) -> int:
    return int((await flow.world.ask(token, "/mcp/ledger")).status_code)


async def test_a_client_ends_one_access_token_and_goes_on(flow: Flow) -> None:
    tokens = await flow.tokens()
    before = await flow.world.parts.store.latest_change()
    assert (await post(flow, "/oauth/revoke", tokens["access_token"])).status_code == 200
    assert await status(flow, tokens["access_token"]) == 401
    epoch = await flow.world.internal.get("/internal/epoch", params={"since": before})
    assert epoch.json()["affects"] == ["principal:local:admin"]
    again = (await flow.refresh(tokens["refresh_token"])).json()
    assert await status(flow, again["access_token"]) == 200


async def test_a_client_ends_all_that_was_made_of_a_refresh_token(flow: Flow) -> None:
    tokens = await flow.tokens()
    await post(flow, "/oauth/revoke", tokens["refresh_token"])
    assert await status(flow, tokens["access_token"]) == 401
    assert (await flow.refresh(tokens["refresh_token"])).status_code == 400


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_client_cannot_end_what_another_holds(flow: Flow, kind: str) -> None:
    tokens = await flow.tokens()
    other = await Flow(flow.world).register()
    answer = await post(other, "/oauth/revoke", tokens[kind])
    assert answer.status_code == 200
    assert await status(flow, tokens["access_token"]) == 200


async def test_what_is_no_token_is_revoked_already(flow: Flow) -> None:
    for value in ("x", "gp_x", "a.b.c", "gpr_"):
        assert (await post(flow, "/oauth/revoke", value)).status_code == 200
    assert (await post(flow, "/oauth/revoke", "")).json()["error"] == "invalid_request"
    assert (await post(flow, "/oauth/revoke", "x", client_id="nobody")).status_code == 401


async def test_a_token_is_told_to_a_client_of_the_administrator(flow: Flow) -> None:
    await preregister(flow.world, "service", "s3cret")
    known = {"client_id": "service", "client_secret": "s3cret"}
    tokens = await flow.tokens("ledger-readers")
    access = (await post(flow, "/oauth/introspect", tokens["access_token"], **known)).json()
    assert access.pop("exp") - access.pop("iat") == 900
    assert access.pop("jti")
    assert access == {
        "active": True,
        "client_id": flow.client_id,
        "sub": "local:admin",
        "iss": HERE,
        "aud": LEDGER,
        "scope": "ledger-readers",
        "token_type": "Bearer",
    }
    refresh = (await post(flow, "/oauth/introspect", tokens["refresh_token"], **known)).json()
    assert (refresh["active"], refresh["token_type"]) == (True, "refresh_token")
    await post(flow, "/oauth/revoke", tokens["refresh_token"])
    for value in (*tokens.values(), "x"):
        told = await post(flow, "/oauth/introspect", str(value), **known)
        assert told.json() == {"active": False}


async def test_a_client_that_registered_itself_sees_its_own_tokens_alone(flow: Flow) -> None:
    tokens = await flow.tokens()
    metadata = {"redirect_uris": [flow.redirect_uri], "token_endpoint_auth_method": "client_secret_post"}
    made = (await flow.public.post("/oauth/register", json=metadata)).json()
    other = Flow(flow.world, made["client_id"], secret=made["client_secret"])
    known = {"client_id": other.client_id, "client_secret": other.secret}
    own = await other.tokens()
    mine = await post(flow, "/oauth/introspect", own["access_token"], **known)
    theirs = await post(flow, "/oauth/introspect", tokens["access_token"], **known)
    assert (mine.json()["active"], theirs.json()) == (True, {"active": False})


async def test_nobody_asks_without_a_proof_of_who_it_is(flow: Flow) -> None:
    tokens = await flow.tokens()
    answer = await post(flow, "/oauth/introspect", tokens["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
