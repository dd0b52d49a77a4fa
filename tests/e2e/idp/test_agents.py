"""A service account of Keycloak at the gateway, with the token it got there and with one exchanged for it."""

import httpx2
import pytest

from tests.e2e.idp.corporate import Corporate
from tests.e2e.idp.realm import ADMINISTRATION, ADMINISTRATION_SECRET
from tests.e2e.idp.tokens import claims
from tests.e2e.servers import client

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


async def test_a_service_account_calls_with_keycloaks_own_token(corporate: Corporate) -> None:
    async with client(corporate.server_url, corporate.keycloak.service_token()) as mcp:
        assert sorted(tool.name for tool in (await mcp.list_tools()).tools) == ["add", "ticks"]
        assert (await mcp.call_tool("add", {"a": 2, "b": 3})).structured_content == {"result": 5}


async def test_keycloaks_token_for_somebody_else_is_refused(corporate: Corporate) -> None:
    other = corporate.keycloak.service_token(ADMINISTRATION, ADMINISTRATION_SECRET)
    answer = httpx2.post(corporate.server_url, headers={"Authorization": f"Bearer {other}"}, json={})
    assert answer.status_code == 401


async def test_an_exchanged_token_reaches_less(corporate: Corporate) -> None:
    token = exchange(corporate, corporate.keycloak.service_token(), scope="adding")
    assert claims(token)["aud"] == corporate.server_url
    async with client(corporate.server_url, token) as mcp:
        assert [tool.name for tool in (await mcp.list_tools()).tools] == ["add"]
        assert (await mcp.call_tool("add", {"a": 2, "b": 3})).structured_content == {"result": 5}
    assert corporate.outcome(token, "ticks") != "ran"


def exchange(corporate: Corporate, subject_token: str, **more: str) -> str:
    """The gateway's token for one of Keycloak's."""
    new = {"name": "exchanger", "grant_types": [EXCHANGE], "auth_method": "client_secret_basic"}
    made = corporate.stack.api("POST", "/api/clients", new, expect=201).json()
    form = {
        "grant_type": EXCHANGE,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "resource": corporate.server_url,
        **more,
    }
    auth = (made["client_id"], made["client_secret"])
    answer = httpx2.post(f"{corporate.stack.url}/oauth/token", data=form, auth=auth)
    assert answer.is_success, answer.text
    return str(answer.json()["access_token"])
