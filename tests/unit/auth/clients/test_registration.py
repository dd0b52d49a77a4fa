import json
import time
from typing import Any

import httpx2
import pytest

from app.auth.clients.registration import UNUSED_LIFE_S
from app.auth.clients.service import CLIENTS, DYNAMIC_LIFE_S
from app.auth.clients.throttle import ALLOWED, REMEMBERED, WINDOW_S, Registrations
from tests.unit.auth.conftest import World

pytestmark = pytest.mark.anyio
PUBLIC = {"token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1:33418/"]}
SECRETS = {"client_secret", "secret_digest"}


async def register(world: World, **metadata: Any) -> httpx2.Response:
    return await world.public.post("/oauth/register", json={**PUBLIC, **metadata})


async def refusal(world: World, **metadata: Any) -> tuple[int, str]:
    answer = await register(world, **metadata)
    return answer.status_code, answer.json()["error"]


async def test_a_public_client_gets_an_id_and_no_secret(world: World) -> None:
    answer = await register(world, client_name="Editor", application_type="native", software_id="ignored")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    registered = answer.json()
    client = await world.parts.clients.find(registered.pop("client_id"))
    assert registered.pop("client_id_issued_at") <= time.time()
    assert registered == {
        "client_name": "Editor",
        "redirect_uris": ["http://127.0.0.1:33418/"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    }
    assert (client.kind, client.name, client.groups) == ("dynamic", "Editor", [])


@pytest.mark.parametrize("method", [None, "client_secret_basic", "client_secret_post"])
async def test_a_secret_is_shown_once_and_kept_as_its_digest(world: World, method: str | None) -> None:
    registered = (await register(world, token_endpoint_auth_method=method)).json()
    assert registered["client_secret_expires_at"] == 0
    form = {name: registered[name] for name in ("client_id", "client_secret")}
    assert (await world.parts.clients.authenticate(form, None)).client_id == form["client_id"]
    kept = await world.parts.store.get(CLIENTS, form["client_id"])
    assert kept is not None
    assert form["client_secret"] not in json.dumps(dict(kept.body))


async def test_what_only_an_administrator_gives_is_left_out(world: World) -> None:
    wanted = [
        "client_credentials",
        "refresh_token",
        "authorization_code",
        "urn:ietf:params:oauth:grant-type:device_code",
    ]
    registered = await register(
        world, grant_types=wanted, response_types=["code", "token"], groups=["admins"]
    )
    assert registered.json()["grant_types"] == ["authorization_code", "refresh_token"]
    assert registered.json()["response_types"] == ["code"]
    assert (await world.parts.clients.find(registered.json()["client_id"])).groups == []


@pytest.mark.parametrize(
    "metadata",
    [
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
        {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}},
        {"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}]}},
        {"jwks_uri": "http://notes.example/keys"},
        {"grant_types": ["client_credentials"]},
        {"grant_types": "authorization_code"},
        {"response_types": ["token"]},
        {"application_type": "toaster"},
        {"client_name": 5},
    ],
)
async def test_metadata_that_cannot_be_is_refused(world: World, metadata: dict[str, Any]) -> None:
    assert await refusal(world, **metadata) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "uris",
    [
        None,
        [],
        "https://notes.example/cb",
        [5],
        ["http://notes.example/cb"],
        ["https://notes.example/cb", "javascript:alert(1)"],
        [f"https://notes.example/{n}" for n in range(11)],
    ],
)
async def test_redirect_uris_that_cannot_be_are_refused(world: World, uris: object) -> None:
    assert await refusal(world, redirect_uris=uris) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 10_000])
async def test_what_is_no_object_is_refused(world: World, body: bytes) -> None:
    answer = await world.public.post("/oauth/register", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


async def test_a_registration_that_is_too_long_is_refused(world: World) -> None:
    assert await refusal(world, padding="x" * 17_000) == (413, "invalid_client_metadata")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Notes\r\nfrom\x00 Alice", "Notes from Alice"),
        ("\u202egnp.exe\u2066", "gnp.exe"),
        ("\ud800x", "x"),
        ("a" * 500, "a" * 100),
        (" \u200b ", "a client without a name"),
        ("Nöten ✓", "Nöten ✓"),
    ],
)
async def test_a_name_is_one_line_of_what_can_be_seen(world: World, name: str, shown: str) -> None:
    answer = await world.public.post("/oauth/register", content=json.dumps({**PUBLIC, "client_name": name}))
    assert answer.json()["client_name"] == shown


async def test_a_homepage_that_is_none_is_left_out(world: World) -> None:
    assert "client_uri" not in (await register(world, client_uri="javascript:alert(1)")).json()
    homepage = "https://notes.example/"
    assert (await register(world, client_uri=homepage)).json()["client_uri"] == homepage


async def ends_at(world: World, client_id: str, monkeypatch: pytest.MonkeyPatch, seconds: float) -> bool:
    """Whether a client is gone after so many seconds."""
    with monkeypatch.context() as later:
        now = time.time() + seconds
        later.setattr("time.time", lambda: now)
        return not await world.parts.clients.known(client_id, int(time.time()))


async def test_a_client_ends_a_day_after_it_registered_without_a_token(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id = (await register(world)).json()["client_id"]
    assert not await ends_at(world, client_id, monkeypatch, UNUSED_LIFE_S - 60)
    assert await ends_at(world, client_id, monkeypatch, UNUSED_LIFE_S + 1)


async def test_a_client_that_gets_a_token_stays_for_ninety_days(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id = (await register(world)).json()["client_id"]
    await world.parts.clients.touch(client_id)
    assert not await ends_at(world, client_id, monkeypatch, DYNAMIC_LIFE_S - 60)
    assert await ends_at(world, client_id, monkeypatch, DYNAMIC_LIFE_S + 1)
    first = await world.parts.store.get(CLIENTS, client_id)
    await world.parts.clients.touch(client_id)
    assert await world.parts.store.get(CLIENTS, client_id) == first, "noted once an hour"
    await world.parts.clients.touch("nobody")


async def test_one_address_registers_so_many_at_a_time(world: World) -> None:
    world.parts.registrations._counted["127.0.0.1"] = (ALLOWED, time.monotonic() + 100)
    answer = await register(world)
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert 90 < int(answer.headers["Retry-After"]) <= 101


def test_an_address_waits_for_its_own_window_and_for_no_other() -> None:
    now = [0.0]
    registrations = Registrations(lambda: now[0])
    assert [registrations.attempt("192.0.2.1") for _ in range(ALLOWED)] == [0] * ALLOWED
    assert registrations.attempt("192.0.2.1") == WINDOW_S + 1
    assert registrations.attempt("192.0.2.2") == 0
    now[0] = WINDOW_S
    assert registrations.attempt("192.0.2.1") == 0


def test_the_addresses_of_one_ipv6_host_count_together() -> None:
    registrations = Registrations()
    waits = [registrations.attempt(f"2001:db8:0:1::{n:x}") for n in range(ALLOWED + 1)]
    assert waits[-1] > 0
    assert registrations.attempt("2001:db8:0:2::1") == 0


def test_the_table_of_addresses_does_not_grow() -> None:
    registrations = Registrations()
    for n in range(REMEMBERED + 10):
        registrations.attempt(f"address {n}")
    assert len(registrations._counted) == REMEMBERED
