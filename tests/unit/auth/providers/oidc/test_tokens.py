import asyncio
import base64
import hmac
import json
import time
from typing import Any

import pytest

from tests.unit.auth.providers.oidc.openid import OpenId, new_key

pytestmark = pytest.mark.anyio


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


async def test_an_agent_calls_with_the_token_of_its_provider(world: Any, openid: OpenId) -> None:
    await world.server("ledger")
    await world.scope("fin", ["fin-team"], "ledger", ["get_balance"])
    token = openid.access_token()
    caller = (await world.verdict(token, "/mcp/ledger"))["caller"]
    assert (caller["principal"], caller["client"]) == ("corp:agent", "corp:agent")
    assert caller["rights"]["tools/call"] == ["get_balance"]
    assert caller["expires_at"] <= time.time() + 300


async def test_groups_of_a_token_count_as_the_table_says_and_never_as_our_administrators(
    world: Any, openid: OpenId
) -> None:
    body = {"provider": "corp", "group": "finance", "groups": ["fin-team"]}
    await world.parts.store.commit("group_mappings", "corp:finance", body, affects={"group:fin-team"})
    await world.parts.snapshot.refresh()
    token = openid.access_token(groups=["finance", "admins"])
    caller = await world.parts.provider_tokens.caller(token, "/mcp/ledger")
    assert caller.groups == ["fin-team"]


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "api://somebody-else"},
        {"aud": None},
        {"aud": "api://gatepost/"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"nonce": "n"},
        {"at_hash": "AAAA"},
        {"events": {}},
        {"cnf": {"jkt": "x"}},
        {"sub": None},
        {"sub": "a\nb"},
    ],
)
async def test_what_is_no_access_token_for_us_is_refused(
    world: Any, openid: OpenId, claims: dict[str, Any]
) -> None:
    answer = await world.ask(openid.access_token(**claims), "/mcp/ledger")
    assert answer.status_code == 401, answer.text


@pytest.mark.parametrize("typ", ["logout+jwt", "id+jwt", "dpop+jwt"])
async def test_another_type_of_token_is_refused(world: Any, openid: OpenId, typ: str) -> None:
    assert (await world.ask(openid.access_token({"typ": typ}), "/mcp/ledger")).status_code == 401


async def test_a_signature_by_another_key_or_a_public_one_is_refused(world: Any, openid: OpenId) -> None:
    forged = [openid.access_token(key=new_key("first")), openid.access_token(key=new_key("never"))]
    payload = openid.access_token().split(".")[1]
    none, hmac_sha256 = (
        f"{encoded(json.dumps({'alg': name, 'kid': 'first'}).encode())}.{payload}"
        for name in ("none", "HS256")
    )
    public = openid.keys[0].as_pem(private=False)
    forged += [f"{none}.", f"{hmac_sha256}.{encoded(hmac.digest(public, hmac_sha256.encode(), 'sha256'))}"]
    for token in forged:
        assert (await world.ask(token, "/mcp/ledger")).status_code == 401


async def test_a_token_of_an_issuer_that_is_not_configured_is_refused(world: Any, openid: OpenId) -> None:
    token = openid.access_token(iss=openid.issuer + "/")
    assert (await world.ask(token, "/mcp/ledger")).status_code == 401


async def test_no_call_fails_while_the_provider_changes_its_keys(world: Any, openid: OpenId) -> None:
    before = openid.access_token()
    for _ in range(2):
        assert (await world.ask(openid.access_token(), "/mcp/ledger")).status_code == 200
        openid.rotate()
    assert (await world.ask(openid.access_token(), "/mcp/ledger")).status_code == 200
    assert (await world.ask(before, "/mcp/ledger")).status_code == 200


async def test_keys_are_asked_for_once_however_many_come_with_one_that_nobody_knows(
    world: Any, openid: OpenId
) -> None:
    assert (await world.ask(openid.access_token(), "/mcp/ledger")).status_code == 200
    unknown = [openid.access_token(key=new_key("never"))] * 15
    asked = [path for path, _ in openid.asked].count("/jwks")
    answers = await asyncio.gather(*(world.ask(token, "/mcp/ledger") for token in unknown))
    assert {answer.status_code for answer in answers} == {401}
    assert [path for path, _ in openid.asked].count("/jwks") == asked + 1


async def test_with_the_provider_away_known_keys_serve_and_unknown_ones_are_no_fault_of_the_caller(
    world: Any, openid: OpenId
) -> None:
    assert (await world.ask(openid.access_token(), "/mcp/ledger")).status_code == 200
    openid.stop()
    try:
        assert (await world.ask(openid.access_token(), "/mcp/ledger")).status_code == 200
        openid.rotate()
        answer = await world.ask(openid.access_token(), "/mcp/ledger")
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    finally:
        openid.start()
