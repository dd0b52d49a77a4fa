"""The cards that clients of the gateway read."""

from typing import Any

import httpx2
import jwt
import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.types import AgentCard, GetExtendedAgentCardRequest
from a2a.utils.signing import InvalidSignaturesError, create_signature_verifier

from tests.e2e.a2a.agent import JSONRPC, REST, client
from tests.e2e.a2a.conftest import Attached

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
CARD = "/.well-known/agent-card.json"


def verify(attached: Attached, card: AgentCard) -> None:
    """Check the card's signature as the SDK does, by the key set that the signature names."""

    def key(kid: str | None, jku: str | None) -> jwt.PyJWK:
        assert jku == f"{attached.stack.url}/oauth/jwks"
        [found] = [one for one in httpx2.get(jku).json()["keys"] if one["kid"] == kid]
        return jwt.PyJWK.from_dict(found)

    create_signature_verifier(key, ["ES256"])(card)


def interfaces(card: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["url"], one["protocolBinding"]) for one in card["supportedInterfaces"]]


def test_the_card_has_the_gateway_s_urls_and_credential(attached: Attached) -> None:
    card = attached.send("GET", CARD).json()
    assert interfaces(card) == [(attached.url, JSONRPC), (attached.url, REST)]
    assert attached.agent.origin not in str(card)
    assert card["securitySchemes"]["gatepost"]["httpAuthSecurityScheme"]["scheme"] == "Bearer"
    assert card["capabilities"]["pushNotifications"] is False
    assert [skill["id"] for skill in card["skills"]] == ["count"]


def test_the_card_s_signature_is_the_gateway_s(attached: Attached) -> None:
    card = parse_agent_card(attached.send("GET", CARD).json())
    assert len(card.signatures) == 1
    verify(attached, card)
    card.supported_interfaces[0].url = "https://elsewhere.example"
    with pytest.raises(InvalidSignaturesError):
        verify(attached, card)


def test_the_agent_s_own_card_and_signature_are_at_the_api(attached: Attached) -> None:
    kept = attached.stack.api("GET", "/api/agents/counter").json()["agent"]
    assert kept["signatures"] == httpx2.get(attached.agent.origin + CARD).json()["signatures"]
    assert interfaces(kept)[0] == (f"{attached.agent.origin}/rpc", JSONRPC)


def test_a_card_that_did_not_change_is_not_sent_again(attached: Attached) -> None:
    first = attached.send("GET", CARD)
    again = attached.send("GET", CARD, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "max-age" in first.headers["Cache-Control"]


@pytest.mark.parametrize("binding", [JSONRPC, REST])
async def test_the_extended_card_has_the_gateway_s_urls_and_signature(
    attached: Attached, binding: str
) -> None:
    async with client(attached.url, attached.token, binding) as connected:
        card = await connected.get_extended_agent_card(GetExtendedAgentCardRequest())
    assert [skill.id for skill in card.skills] == ["count", "secret"]
    assert {one.url for one in card.supported_interfaces} == {attached.url}
    verify(attached, card)


def test_a_card_needs_a_credential_and_says_where_to_get_one(attached: Attached) -> None:
    answer = httpx2.get(attached.url + CARD)
    assert answer.status_code == 401
    where = answer.headers["WWW-Authenticate"].partition('resource_metadata="')[2].partition('"')[0]
    assert httpx2.get(where).json()["resource"] == attached.url
