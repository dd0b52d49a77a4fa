import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from tests.unit.auth.oauth.conftest import Flow

pytestmark = pytest.mark.anyio


@pytest.fixture
async def token(flow: Flow) -> str:
    return str((await flow.tokens())["access_token"])


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    read = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
    return read[0], read[1]


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)
    ]
    return f"{'.'.join(parts)}."


async def test_forged_tokens_open_nothing(flow: Flow, token: str) -> None:
    header, claims = _parts(token)
    public = (await flow.public.get("/oauth/jwks")).json()["keys"][0]
    as_secret = OctKey.import_key(json.dumps(public).encode())
    own = ECKey.generate_key("P-256")
    first, _, last = token.split(".")
    forged = {
        "alg none": _unsigned({**header, "alg": "none"}, claims),
        "HS256 with the public key": jwt.encode({**header, "alg": "HS256"}, claims, as_secret, ["HS256"]),
        "a key of somebody's own": jwt.encode(header, claims, own, ["ES256"]),
        "a kid of somebody's own": jwt.encode({**header, "kid": "../../x"}, claims, own, ["ES256"]),
        "a key in the header": jwt.encode(
            {**header, "jwk": own.as_dict(private=False)}, claims, own, ["ES256"]
        ),
        "other claims": ".".join([first, _unsigned({}, {**claims, "sub": "x:y"}).split(".")[1], last]),
        "an identity token": flow.world.parts.keys.sign(claims, "gatepost-identity+jwt"),
        "of another issuer": flow.world.parts.keys.sign({**claims, "iss": "https://evil.example"}, "at+jwt"),
        "without an end": flow.world.parts.keys.sign(
            {name: value for name, value in claims.items() if name != "exp"}, "at+jwt"
        ),
        "crit of another type": _unsigned({**header, "crit": [1]}, claims),
        "nested": _unsigned(header, {}).replace("e30", base64.urlsafe_b64encode(b"[" * 5000).decode()),
    }  # fmt: skip
    for name, value in forged.items():
        answer = await flow.world.ask(value, "/mcp/ledger")
        assert answer.status_code == 401, name


async def test_an_expired_token_says_so(flow: Flow, token: str) -> None:
    _, claims = _parts(token)
    old = flow.world.parts.keys.sign({**claims, "exp": int(time.time()) - 60}, "at+jwt")
    assert (await flow.world.ask(old, "/mcp/ledger")).json()["reason"] == "expired"


async def test_a_token_of_one_resource_is_refused_at_every_other(flow: Flow, token: str) -> None:
    for path in ("/mcp/other", "/mcp/registry", "/a2a/ledger", "/api", "/ui"):
        answer = await flow.world.ask(token, path)
        assert (answer.status_code, answer.json()["reason"]) == (401, "audience"), path


async def test_an_access_token_has_no_groups_in_it(token: str) -> None:
    header, claims = _parts(token)
    assert header["typ"] == "at+jwt"
    assert set(claims) == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "gid"}
