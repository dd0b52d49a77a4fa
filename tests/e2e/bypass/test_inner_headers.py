import asyncio
import time

import pytest

from app.core.identity import IDENTITY_HEADER, Identity, issue
from app.core.keys import SigningKeys
from app.core.sealing import Sealer
from app.core.settings import load_settings
from app.core.store import open_store
from tests.e2e.beside import settings_of
from tests.e2e.bypass.gate import UPSTREAM_SECRET, Gate, call, message
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
CALL = call()
SPELLINGS = ["Gatepost-Identity", "gatepost-identity", "Gatepost_Identity", "Gatepost-Identity-2"]
FORGED = "eyJhbGciOiJub25lIiwidHlwIjoiZ2F0ZXBvc3QtaWRlbnRpdHkrand0In0.eyJzdWIiOiJsb2NhbDphZG1pbiJ9."
OPEN_PATHS = ["/api/version", "/api/openapi.json", "/login", "/.well-known/x", "/oauth/jwks"]
PROXY_HEADERS = [
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-User", "X-Forwarded-Email"),
    *("X-Forwarded-Access-Token", "X-Real-Ip", "Forwarded", "Via", "X-Original-Url", "X-Rewrite-Url"),
    *("Cookie", "Proxy-Authorization", "Referer"),
]


def genuine(stack: Stack) -> str:
    """An identity of the administrator that auth itself might have signed."""

    async def make() -> str:
        settings = load_settings(settings_of(stack))
        store = await open_store(settings)
        try:
            keys = await SigningKeys.load(store, Sealer.from_settings(settings))
            admin = Identity("local:admin", "browser", ["admins"], None)
            return issue(keys, admin, stack.url, int(time.time()) + 60)
        finally:
            await store.close()

    return asyncio.run(make())


@pytest.fixture(params=["forged", "genuine"])
def identity(request: pytest.FixtureRequest, gate: Gate) -> str:
    return FORGED if request.param == "forged" else genuine(gate.stack)


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_identity_that_the_client_sends_reaches_no_upstream(gate: Gate, name: str, identity: str) -> None:
    gate.passes(CALL, (name, identity))
    assert identity not in repr(gate.received)


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_identity_that_the_client_sends_counts_nowhere(gate: Gate, name: str, identity: str) -> None:
    header = (name, identity)
    for path in ("/api/me", "/api/servers", "/api/tokens"):
        assert gate.send(b"", header, method="GET", path=path, token="", kind=None).status == 401
    gate.refuses(CALL, header, token="", rule="missing", status=401)
    own = gate.send(b"", header, method="GET", path="/api/me", kind=None)
    assert b'"scopes":["recorded"]' in own.body


@pytest.mark.parametrize(
    "path", ["/api/version", "/api/openapi.json", "/login", "/.well-known/x", "/oauth/jwks"]
)
def test_open_paths_pass_no_identity_on(gate: Gate, path: str, identity: str) -> None:
    plain, with_header = (
        gate.send(b"", *headers, method="GET", path=path, token="", kind=None)
        for headers in ([], [(IDENTITY_HEADER, identity)])
    )
    assert (with_header.status, with_header.body) == (plain.status, plain.body)


def test_an_identity_is_no_access_token(gate: Gate) -> None:
    gate.refuses(CALL, token=genuine(gate.stack), rule="malformed", status=401)


def test_the_registrys_own_server_hears_who_calls_from_the_gateway_alone(gate: Gate, identity: str) -> None:
    listing = message("tools/call", {"name": "list_servers", "arguments": {}})
    gate.refuses(listing, (IDENTITY_HEADER, identity), path="/mcp/registry", rule="server", status=200)


def test_the_secret_of_the_gateway_opens_nothing_from_outside(gate: Gate) -> None:
    secret = gate.stack.file("secrets", "gateway_secret").read_text().strip()
    headers = [("Gatepost-Gateway-Secret", secret), ("Gatepost-Session", "x" * 43)]
    for path in ("/internal/verdict?resource=/api", "/internal/epoch", "/.well-known/../internal/epoch"):
        assert gate.send(b"", *headers, method="GET", path=path, token="", kind=None).status in {400, 404}
    gate.passes(CALL, *headers)
    assert secret not in repr(gate.received)


def test_what_an_upstream_might_take_for_its_proxys_word_is_dropped(gate: Gate) -> None:
    gate.passes(CALL, *((name, "client-says-so") for name in PROXY_HEADERS), ("X-Own", "stays"))
    (received,) = gate.received
    assert "client-says-so" not in repr(received)
    assert received.header("X-Own") == ["stays"]
    assert received.header("Authorization") == [f"Bearer {UPSTREAM_SECRET}"]
    assert received.header("Host") == [f"127.0.0.1:{gate.recorder.port}"]
