import base64
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.utils.signing import create_agent_card_signer
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.core.settings import Settings
from app.registry.agents.signatures import warnings
from tests.unit.registry.agents.cards import card
from tests.unit.registry.conftest import serving

pytestmark = pytest.mark.anyio
SETTINGS = Settings.from_environ({"GATEPOST_UPSTREAM_NETWORKS": "127.0.0.0/8"})


class Signer:
    """An agent's owner with a key, who signs by the official SDK."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self._key = jwt.PyJWK.from_dict(jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True))
        public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        self.app = Starlette(
            routes=[Route("/jwks", lambda _: JSONResponse({"keys": [{**public, "kid": "k"}]}))]
        )

    def sign(self, given: dict[str, Any], jku: str | None, kid: str = "k") -> dict[str, Any]:
        made = parse_agent_card(given)
        header = {"kid": kid, "alg": "ES256", "typ": "JOSE", "jku": jku}
        create_agent_card_signer(self._key, header)(made)
        return {**given, "signatures": MessageToDict(made)["signatures"]}


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


@pytest.fixture
async def jku(signer: Signer) -> AsyncIterator[str]:
    async with serving(signer.app) as url:
        yield f"{url}/jwks"


async def test_a_signature_that_holds_needs_no_words(signer: Signer, jku: str) -> None:
    given = card(capabilities={"streaming": False}, securityRequirements=[{"schemes": {"own": {}}}])
    given["skills"][0] |= {"securityRequirements": [{"schemes": {"x": {"list": ["y"]}}}], "x-unknown": 1}
    assert await warnings(SETTINGS, signer.sign(given, jku)) == []


async def test_a_card_that_was_changed_after_it_was_signed_is_named(signer: Signer, jku: str) -> None:
    forged = {**signer.sign(card(), jku), "description": "Something else"}
    [warning] = await warnings(SETTINGS, forged)
    assert "does not hold" in warning
    assert jku in warning


async def test_what_cannot_be_checked_is_said_with_the_reason(signer: Signer, jku: str) -> None:
    cases = {
        "no place of its key": signer.sign(card(), None),
        "no key 'other'": signer.sign(card(), jku, kid="other"),
        "status 404": signer.sign(card(), f"{jku}-missing"),
        "metadata": signer.sign(card(), "http://169.254.169.254/"),
        "no connection": signer.sign(card(), "nonsense"),
        "cannot be read": {**card(), "signatures": [{"protected": "§", "signature": "x"}]},
    }
    for expected, given in cases.items():
        [warning] = await warnings(SETTINGS, given)
        assert expected in warning, warning


async def test_a_key_that_both_sides_could_know_proves_nothing(signer: Signer) -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    shared = {"kty": "oct", "k": base64.urlsafe_b64encode(secret).rstrip(b"=").decode(), "kid": "k"}
    app = Starlette(routes=[Route("/jwks", lambda _: JSONResponse({"keys": [shared]}))])
    async with serving(app) as url:
        made = parse_agent_card(card())
        header = {"kid": "k", "alg": "HS256", "typ": "JOSE", "jku": f"{url}/jwks"}
        create_agent_card_signer(secret, header)(made)
        given = {**card(), "signatures": MessageToDict(made)["signatures"]}
        [warning] = await warnings(SETTINGS, given)
    assert "does not hold" in warning
