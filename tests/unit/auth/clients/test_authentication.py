import base64
import hmac
import json
import time
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import serialize_compact

from app.auth.clients.keys import public_keys, usable_keys
from app.auth.clients.model import Client
from app.auth.clients.presented import ASSERTION_TYPE
from app.auth.clients.service import CLIENTS, secret_digest
from app.auth.oauth.errors import OAuthError
from tests.unit.auth.clients.conftest import Host, Page
from tests.unit.auth.conftest import World

pytestmark = pytest.mark.anyio
KEY = ECKey.generate_key("P-256", {"kid": "one"})
ISSUER = "http://127.0.0.1:8080"


async def keep(world: World, client_id: str = "notes", **more: Any) -> None:
    client = Client(
        client_id=client_id,
        kind="preregistered",
        name="Notes",
        created_at="2026-01-01T00:00:00+00:00",
        **more,
    )
    await world.parts.store.put(CLIENTS, client_id, client.model_dump(mode="json"))


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def signed(
    key: Key = KEY, algorithm: str = "ES256", header: dict[str, str] | None = None, **claims: Any
) -> str:
    now = time.time()
    body = {"iss": "notes", "sub": "notes", "aud": ISSUER, "exp": now + 60, "jti": str(now), **claims}
    body = {name: value for name, value in body.items() if value is not None}
    head = {"alg": algorithm, "kid": "one", **(header or {})}
    return serialize_compact(head, json.dumps(body).encode(), key, algorithms=[algorithm])


def by_assertion(assertion: str) -> dict[str, str]:
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


async def refusal(world: World, form: dict[str, str], authorization: str | None = None) -> OAuthError:
    with pytest.raises(OAuthError) as refused:
        await world.parts.clients.authenticate(form, authorization)
    return refused.value


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_secret_counts_in_the_header_and_in_the_form(world: World, method: str) -> None:
    await keep(world, auth_method=method, secret_digest=secret_digest("s e+c:ret"))
    in_form = {"client_id": "notes", "client_secret": "s e+c:ret"}
    assert (await world.parts.clients.authenticate(in_form, None)).client_id == "notes"
    in_header = basic("notes", "s+e%2Bc%3Aret")
    assert (await world.parts.clients.authenticate({}, in_header)).client_id == "notes"
    with_both_ids = await world.parts.clients.authenticate({"client_id": "notes"}, in_header)
    assert with_both_ids.client_id == "notes"


async def test_a_public_client_gives_its_id_alone(world: World) -> None:
    await keep(world)
    form = {"client_id": "notes", "client_secret": ""}
    assert (await world.parts.clients.authenticate(form, None)).client_id == "notes"
    assert (await refusal(world, {"client_id": "notes", "client_secret": "x"})).status == 401
    assert (await refusal(world, {}, basic("notes", ""))).status == 401


async def test_an_unknown_client_and_a_wrong_secret_have_one_answer(world: World) -> None:
    await keep(world, auth_method="client_secret_basic", secret_digest=secret_digest("right"))
    await keep(world, "keyed", auth_method="private_key_jwt", jwks={"keys": []})
    refused = [
        await refusal(world, {"client_id": "notes", "client_secret": "wrong"}),
        await refusal(world, {"client_id": "nobody", "client_secret": "wrong"}),
        await refusal(world, {"client_id": "notes"}),
        await refusal(world, {"client_id": "keyed"}),
        await refusal(world, {"client_id": "keyed", "client_secret": "x"}),
        await refusal(world, {}, basic("notes", "wrong")),
        await refusal(world, {}, basic("nobody", "wrong")),
        await refusal(world, by_assertion(signed(iss="keyed", sub="keyed"))),
        await refusal(world, by_assertion(signed())),
        await refusal(world, by_assertion(signed(iss="\ud800", sub="\ud800"))),
    ]
    assert {(found.error, found.description, found.status) for found in refused} == {
        ("invalid_client", refused[0].description, 401)
    }
    assert refused[0].response().headers["WWW-Authenticate"].startswith("Basic")


async def test_two_ways_at_once_are_refused(world: World) -> None:
    await keep(world, auth_method="client_secret_basic", secret_digest=secret_digest("right"))
    secret = {"client_id": "notes", "client_secret": "right"}
    for form, header in (
        (secret, basic("notes", "right")),
        (by_assertion(signed()), basic("notes", "right")),
        ({**secret, **by_assertion(signed())}, None),
        ({"client_id": "other"}, basic("notes", "right")),
        ({"client_id": "other", **by_assertion(signed())}, None),
        ({"client_assertion": signed(), "client_assertion_type": "other"}, None),
    ):
        assert (await refusal(world, form, header)).error == "invalid_request"


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic /w==", "Bearer x", basic("notes", "x").replace("Basic", "Basi")]
)
async def test_a_header_that_says_nothing_is_refused(world: World, header: str) -> None:
    assert (await refusal(world, {}, header)).status == 401


async def test_a_request_that_names_nobody_is_refused(world: World) -> None:
    assert "client_id is missing" in (await refusal(world, {})).description


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (KEY, "ES256"),
        (ECKey.generate_key("P-384", {"kid": "one"}), "ES384"),
        (RSAKey.generate_key(2048, {"kid": "one"}), "RS256"),
        (RSAKey.generate_key(2048, {"kid": "one"}), "PS256"),
        (OKPKey.generate_key("Ed25519", {"kid": "one"}), "Ed25519"),
    ],
)
async def test_a_signature_proves_a_client(world: World, key: Key, algorithm: str) -> None:
    await keep(world, auth_method="private_key_jwt", jwks={"keys": [key.as_dict(private=False)]})
    for more in ({}, {"aud": f"{ISSUER}/oauth/token"}, {"aud": [ISSUER]}, {"iat": int(time.time())}):
        form = by_assertion(signed(key, algorithm, **more))
        assert (await world.parts.clients.authenticate(form, None)).client_id == "notes"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"sub": "other"}, "iss and sub"),
        ({"aud": "https://elsewhere.example"}, "aud must be"),
        ({"aud": None}, "aud must be"),
        ({"aud": f"{ISSUER}/"}, "aud must be"),
        ({"exp": 1}, "exp must be"),
        ({"exp": None}, "exp must be"),
        ({"exp": "soon"}, "exp must be"),
        ({"exp": time.time() + 90_000}, "exp must be"),
        ({"nbf": time.time() + 90_000}, "nbf must not"),
        ({"iat": time.time() + 90_000}, "iat must not"),
        ({"jti": None}, "jti must be"),
        ({"jti": "x" * 300}, "jti must be"),
        ({"jti": "\ud800"}, "jti must be"),
    ],
)
async def test_claims_that_are_not_for_us_and_now_are_refused(
    world: World, claims: dict[str, Any], reason: str
) -> None:
    await keep(world, auth_method="private_key_jwt", jwks={"keys": [KEY.as_dict(private=False)]})
    refused = await refusal(world, by_assertion(signed(**claims)))
    assert (refused.error, refused.status) == ("invalid_client", 401)
    assert reason in refused.description


async def test_an_assertion_counts_once(world: World) -> None:
    await keep(world, auth_method="private_key_jwt", jwks={"keys": [KEY.as_dict(private=False)]})
    form = by_assertion(signed())
    await world.parts.clients.authenticate(form, None)
    assert "used before" in (await refusal(world, form)).description


@pytest.mark.parametrize("size", [128, 2048])
async def test_an_rsa_key_that_is_too_short_or_too_long_is_none(size: int) -> None:
    odd = {"kty": "RSA", "e": "AQAB", "n": part(b"\xff" * size)}
    with pytest.raises(ValueError, match="of a length"):
        public_keys({"keys": [odd]})
    assert usable_keys({"keys": [odd, 5]}) == {"keys": []}


async def test_a_private_key_is_refused_and_not_repeated() -> None:
    private = KEY.as_dict(private=True)
    with pytest.raises(ValueError, match="a private key is in it") as refused:
        public_keys({"keys": [private]})
    assert str(private["d"]) not in str(refused.value)


async def test_no_key_signs_with_an_algorithm_of_another_type(world: World) -> None:
    public = KEY.as_dict(private=False)
    await keep(world, auth_method="private_key_jwt", jwks={"keys": [public]})
    body = signed().split(".")[1]
    none = part(b'{"alg":"none"}') + "." + body
    hs256 = part(b'{"alg":"HS256","kid":"one"}') + "." + body
    tag = hmac.digest(KEY.as_pem(private=False), hs256.encode(), "sha256")
    forged = [
        f"{none}.",
        f"{hs256}.{part(tag)}",
        signed(ECKey.generate_key("P-256", {"kid": "one"})),
        signed(header={"kid": "two"}),
        "a.b.c",
    ]
    assert [(await refusal(world, by_assertion(text))).error for text in forged] == ["invalid_client"] * 5


def part(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


async def test_new_keys_at_a_jwks_uri_are_found_within_a_minute(
    world: World, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = ECKey.generate_key("P-256", {"kid": "two"})
    unreadable: dict[str, Any] = {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}
    host.pages["/keys"] = Page({"keys": [unreadable, KEY.as_dict(private=False)]})
    client_id = host.client(token_endpoint_auth_method="private_key_jwt", jwks_uri=f"{host.url}/keys")
    mine = {"iss": client_id, "sub": client_id}
    await world.parts.clients.authenticate(by_assertion(signed(**mine)), None)
    host.pages["/keys"] = Page({"keys": [newer.as_dict(private=False)]})
    form = by_assertion(signed(newer, header={"kid": "two"}, **mine))
    assert (await refusal(world, form)).error == "invalid_client"
    assert host.asked.count("/keys") == 1
    monkeypatch.setattr("app.auth.clients.service.NEW_KEYS_AFTER_S", 0.0)
    assert (await world.parts.clients.authenticate(form, None)).client_id == client_id


async def test_a_deleted_client_is_not_known(world: World) -> None:
    await keep(world)
    assert await world.parts.clients.known("notes", int(time.time()))
    await world.parts.store.delete(CLIENTS, "notes")
    assert not await world.parts.clients.known("notes", int(time.time()))


async def test_a_client_s_secret_is_in_no_representation(world: World) -> None:
    await keep(world, auth_method="client_secret_basic", secret_digest="digest-of-it")
    assert "digest-of-it" not in repr(await world.parts.clients.find("notes"))
