import asyncio
import base64
import time
from ipaddress import ip_network
from typing import Any

import pytest

from app.core.credentials import ClientCredentials, UpstreamCredential
from app.core.settings import Settings
from app.core.token_endpoint import TokenRefused, request_token
from app.core.upstream_tokens import UpstreamTokens
from tests.token_server import TokenServer

pytestmark = pytest.mark.anyio
SETTINGS = Settings(upstream_networks=[ip_network("127.0.0.0/8")])
SECRET = "s3cret +/value"


def client(url: str, **more: Any) -> ClientCredentials:
    return ClientCredentials(token_url=url, client_id="us", client_secret=SECRET, **more)


def credential(url: str, sealed: str = "v1.a.b") -> UpstreamCredential:
    return UpstreamCredential(oauth=client(url), sealed=sealed)


async def test_the_request_is_that_of_client_credentials() -> None:
    async with TokenServer.running() as server:
        more = {"scope": "read write", "resource": "https://mcp.example/"}
        token = await request_token(SETTINGS, client(server.url, **more))
    asked = server.asked[0]
    assert asked.form == {"grant_type": ["client_credentials"]} | {
        name: [value] for name, value in more.items()
    }
    pair = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "us:s3cret+%2B%2Fvalue"
    assert token.value == "token-1"
    assert 0 < token.expires_at - time.time() <= 3600


async def test_the_secret_goes_into_the_body_where_that_is_asked_for() -> None:
    async with TokenServer.running() as server:
        await request_token(SETTINGS, client(server.url, auth_method="client_secret_post"))
    assert server.asked[0].form["client_secret"] == [SECRET]
    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (401, {"error": "invalid_client", "error_description": SECRET}, "status 401, invalid_client"),
        (400, {"error": SECRET}, "status 400"),
        (500, SECRET, "status 500"),
        (302, {}, "status 302"),
        (200, {}, "without a usable access_token"),
        (200, {"access_token": "a b", "token_type": "Bearer"}, "without a usable access_token"),
        (200, {"access_token": "x", "token_type": "mac"}, "no bearer token"),
        (200, {"access_token": "x"}, "no bearer token"),
        (200, {"access_token": "x", "token_type": "Bearer", "expires_in": 0}, "expired already"),
        (200, "x" * 100_000, "without a usable access_token"),
    ],
)
async def test_a_refusal_names_endpoint_and_reason_and_no_secret(
    status: int, answer: object, reason: str
) -> None:
    async with TokenServer.running() as server:
        server.answers = [(status, answer)]
        with pytest.raises(TokenRefused) as refused:
            await request_token(SETTINGS, client(server.url))
    assert reason in str(refused.value)
    assert server.url.split("/")[2] in str(refused.value)
    assert SECRET not in str(refused.value)


async def test_the_guard_of_upstreams_holds_for_token_endpoints() -> None:
    async with TokenServer.running() as server:
        with pytest.raises(TokenRefused, match="a loopback address"):
            await request_token(Settings(), client(server.url))
    assert server.asked == []


async def test_a_token_serves_until_it_is_near_its_end() -> None:
    async with TokenServer.running() as server:
        tokens = UpstreamTokens(SETTINGS)
        first = await tokens.headers(credential(server.url))
        assert first == await tokens.headers(credential(server.url))
        server.answers = [(200, server.token(life=1.5)), (200, server.token(life=60))]
        short, ends_at = await tokens.headers(credential(server.url, "v1.a.c"))
        assert ends_at is not None
        assert ends_at < time.time() + 1.5
        while (renewed := await tokens.headers(credential(server.url, "v1.a.c")))[0] == short:
            assert time.time() < ends_at, "it is renewed before it ends"
            await asyncio.sleep(0.02)
        assert renewed[0] != first[0]


async def test_a_credential_that_is_set_anew_gets_a_new_token() -> None:
    async with TokenServer.running() as server:
        tokens = UpstreamTokens(SETTINGS)
        before, _ = await tokens.headers(credential(server.url))
        after, _ = await tokens.headers(credential(server.url, "v1.a.other"))
    assert before != after


async def test_a_failure_is_remembered_for_a_while_and_the_old_token_serves_on() -> None:
    async with TokenServer.running() as server:
        server.answers = [(200, server.token(life=1.5)), (503, {})]
        tokens = UpstreamTokens(SETTINGS)
        headers, ends_at = await tokens.headers(credential(server.url))
        assert ends_at is not None
        while len(server.asked) < 2:
            assert (await tokens.headers(credential(server.url)))[0] == headers
            await asyncio.sleep(0.02)
        assert (await tokens.headers(credential(server.url)))[0] == headers
        await asyncio.sleep(ends_at - time.time())
        with pytest.raises(TokenRefused, match="status 503"):
            await tokens.headers(credential(server.url))
        assert len(server.asked) == 2


async def test_many_at_once_ask_once() -> None:
    async with TokenServer.running() as server:
        tokens = UpstreamTokens(SETTINGS)
        answers = await asyncio.gather(*(tokens.headers(credential(server.url)) for _ in range(20)))
    assert len({str(headers) for headers, _ in answers}) == 1
    assert len(server.asked) == 1
