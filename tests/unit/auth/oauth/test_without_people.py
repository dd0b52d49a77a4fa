"""Clients that act for themselves, and tokens that are exchanged."""

import time
from typing import Any

import pytest

from app.auth.oauth.exchange import ACCESS_TOKEN, GRANT_TYPE
from app.auth.verdict.caller import Caller, InvalidCredential
from tests.unit.auth.oauth.conftest import HERE, LEDGER, Flow, preregister

pytestmark = pytest.mark.anyio


@pytest.fixture
async def agent(flow: Flow) -> Flow:
    """A client with a secret that is in a group of its own."""
    await flow.world.scope("robots-read", ["robots"], "ledger", ["read"])
    await flow.world.scope("robots-write", ["robots"], "ledger", ["write"])
    await preregister(
        flow.world, "robot", "s3cret", groups=["robots"], grant_types=["client_credentials", GRANT_TYPE]
    )
    return Flow(flow.world, "robot", secret="s3cret")


async def own(agent: Flow, **more: str) -> Any:
    return await agent.token(grant_type="client_credentials", **{"resource": LEDGER, **more})


async def exchanged(agent: Flow, value: str, **more: str) -> Any:
    form = {"subject_token": value, "subject_token_type": ACCESS_TOKEN, "resource": LEDGER, **more}
    return await agent.token(grant_type=GRANT_TYPE, **form)


async def tools(agent: Flow, value: str) -> list[str]:
    rights = (await agent.world.verdict(value, "/mcp/ledger"))["caller"]["rights"]
    return list(rights.get("tools/call", []))


async def test_a_client_does_what_its_groups_may(agent: Flow) -> None:
    answer = (await own(agent)).json()
    assert "refresh_token" not in answer
    verdict = await agent.world.verdict(answer["access_token"], "/mcp/ledger")
    assert verdict["caller"]["subject"] == "client:robot"
    assert await tools(agent, answer["access_token"]) == ["read", "write"]
    narrow = (await own(agent, scope="robots-read")).json()
    assert await tools(agent, narrow["access_token"]) == ["read"]


async def test_a_client_loses_what_its_groups_lose_and_ends_with_the_client(agent: Flow) -> None:
    value = (await own(agent)).json()["access_token"]
    await preregister(agent.world, "robot", "s3cret", groups=[], grant_types=["client_credentials"])
    assert await tools(agent, value) == []
    await agent.world.parts.store.commit("clients", "robot", None)
    assert (await agent.world.ask(value, "/mcp/ledger")).json()["reason"] == "revoked"


async def test_a_client_names_a_resource_and_known_scopes(agent: Flow) -> None:
    assert (await own(agent, resource="")).json()["error"] == "invalid_target"
    assert (await own(agent, scope="unknown")).json()["error"] == "invalid_scope"


async def test_clients_that_may_not_act_for_themselves(flow: Flow, agent: Flow) -> None:
    assert (await own(flow)).json()["error"] == "unauthorized_client"
    await preregister(agent.world, "robot", "s3cret", grant_types=["client_credentials"])
    assert (await own(agent)).json()["error"] == "unauthorized_client"
    agent.secret = "wrong"
    assert (await own(agent)).status_code == 401


async def test_a_token_of_ours_is_narrowed_further_and_ends_with_the_first(flow: Flow, agent: Flow) -> None:
    first = (await flow.tokens(resource=None))["access_token"]
    answer = (await exchanged(agent, first, scope="ledger-readers")).json()
    assert answer["issued_token_type"] == ACCESS_TOKEN
    verdict = await flow.world.verdict(answer["access_token"], "/mcp/ledger")
    assert (verdict["caller"]["subject"], verdict["caller"]["client"]) == ("local:admin", "robot")
    assert await tools(agent, answer["access_token"]) == ["read"]
    wider = await exchanged(agent, answer["access_token"], scope="ledger-writers")
    assert wider.json()["error"] == "invalid_scope"
    elsewhere = await exchanged(agent, answer["access_token"], resource=f"{HERE}/mcp/other")
    assert elsewhere.json()["error"] == "invalid_target"
    twice = (await exchanged(agent, answer["access_token"])).json()
    await flow.public.post("/oauth/revoke", data={"token": first, "client_id": flow.client_id})
    for value in (answer["access_token"], twice["access_token"]):
        assert (await flow.world.ask(value, "/mcp/ledger")).json()["reason"] == "revoked"


class Provider:
    """What an identity provider would vouch for; its real parts have their own tests."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def verify(self, value: str) -> Caller | None:
        if value == "expired":
            raise InvalidCredential("expired")
        return self.caller if value == "theirs" else None


async def test_a_token_of_a_provider_becomes_one_for_one_resource(
    agent: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = time.time() + 100
    provider = Provider(Caller("corp:7", "corp-app", ["robots"], None, ends, ends))
    object.__setattr__(agent.world.parts, "provider_tokens", provider)
    answer = (await exchanged(agent, "theirs", scope="robots-read")).json()
    assert 80 < answer["expires_in"] <= 90
    verdict = await agent.world.verdict(answer["access_token"], "/mcp/ledger")
    assert (verdict["caller"]["subject"], verdict["caller"]["client"]) == ("corp:7", "robot")
    assert await tools(agent, answer["access_token"]) == ["read"]
    body = {"provider": "corp", "group": "robots", "groups": []}
    await agent.world.parts.store.commit("group_mappings", "corp:robots", body, affects={"*"})
    assert await tools(agent, answer["access_token"]) == [], "a mapping counts for what was exchanged before"
    assert (await exchanged(agent, "expired")).json()["error"] == "invalid_grant"
    assert (await exchanged(agent, "other")).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"actor_token": "x"}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"resource": ""}, "invalid_target"),
        ({"audience": f"{HERE}/mcp/other"}, "invalid_target"),
        ({"resource": "https://evil.example"}, "invalid_target"),
    ],
)
async def test_an_exchange_is_for_one_token_and_one_resource(
    flow: Flow, agent: Flow, changed: dict[str, str], error: str
) -> None:
    first = (await flow.tokens())["access_token"]
    assert (await exchanged(agent, first, **changed)).json()["error"] == error


async def test_a_client_exchanges_only_where_it_is_registered_for_that(flow: Flow) -> None:
    first = (await flow.tokens())["access_token"]
    assert (await exchanged(flow, first)).json()["error"] == "unauthorized_client"
