import asyncio
import time
from typing import Any

import pytest

from app.auth.clients.documents import is_document_url
from app.auth.clients.fetched import AT_ONCE, Fetched, Unfetched
from app.auth.oauth.errors import OAuthError
from app.core.settings import Settings
from tests.unit.auth.clients.conftest import Host, Page
from tests.unit.auth.conftest import World, settings_for

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://notes.example/client.json", True),
        ("https://notes.example:8443/a/b?x=1", True),
        ("https://notes.example/", False),
        ("https://notes.example", False),
        ("http://notes.example/client.json", False),
        ("https://notes.example/client.json#x", False),
        ("https://user@notes.example/client.json", False),
        ("https://notes.example/a/../client.json", False),
        ("https://notes.example/a/%2e%2E/client.json", False),
        ("https://notes.example/./client.json", False),
        ("https://notes.example/.", False),
        ("https://notes.example/.well-known/client.json", True),
        ("https:/client.json", False),
        ("https://notes.example\\client.json", False),
        ("https://notes.example/" + "a" * 512, False),
        ("notes", False),
    ],
)
def test_only_a_plain_https_url_with_a_path_is_a_document_s(url: str, is_one: bool) -> None:
    assert is_document_url(url) == is_one


async def test_a_client_is_what_the_document_at_its_id_says(world: World, host: Host) -> None:
    client_id = host.client(client_name="No\u202etes \u0007", logo_uri="x", unknown=[1])
    client = await world.parts.clients.find(client_id)
    assert (client.kind, client.name, client.auth_method) == ("document", "No tes", "none")
    assert client.redirect_uris == ["https://notes.example/cb"]
    assert await world.parts.clients.known(client_id, int(time.time()))


async def test_a_document_is_fetched_once_whoever_asks(world: World, host: Host) -> None:
    client_id = host.client()
    host.go_on.clear()
    asking = [asyncio.create_task(world.parts.clients.find(client_id)) for _ in range(5)]
    while not host.asked:
        await asyncio.sleep(0.01)
    asking[0].cancel()
    host.go_on.set()
    found = await asyncio.gather(*asking[1:])
    assert {client.client_id for client in found} == {client_id}
    await world.parts.clients.find(client_id)
    assert host.asked == ["/client.json"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"client_id": "https://elsewhere.example/client.json"}, "letter by letter"),
        ({"client_secret": "s3cret"}, "client_secret"),
        ({"client_secret_expires_at": 0}, "client_secret"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "private_key_jwt"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "either jwks or jwks_uri"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        ({"redirect_uris": "https://notes.example/cb"}, "redirect_uris"),
        ({"redirect_uris": [f"https://notes.example/{n}" for n in range(11)]}, "redirect_uris"),
        ({"grant_types": ["client_credentials"]}, "administrator"),
    ],
)
async def test_a_document_that_does_not_fit_is_no_client(
    world: World, host: Host, page: dict[str, Any], reason: str
) -> None:
    with pytest.raises(OAuthError, match=reason) as refused:
        await world.parts.clients.find(host.client(**page))
    assert (refused.value.error, refused.value.status) == ("invalid_client", 401)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page({}, 404), "status 404"),
        (Page({}, 301, {**JSON, "Location": "/other.json"}), "status 301"),
        (Page({}, 200, {"Content-Type": "text/html"}), "application/json"),
        (Page(b"{"), "no JSON"),
        (Page([]), "no JSON object"),
        (Page(b" " * 17_000), "16 KiB"),
        (Page(b"[" * 16_000), "no JSON"),
    ],
)
async def test_what_is_no_document_is_no_client(world: World, host: Host, page: Page, reason: str) -> None:
    client_id = host.client()
    host.pages["/client.json"] = page
    with pytest.raises(OAuthError, match=reason) as refused:
        await world.parts.clients.find(client_id)
    assert refused.value.error == "invalid_client"
    assert host.asked == ["/client.json"]


async def test_a_host_that_fails_for_the_moment_makes_no_client_invalid(world: World, host: Host) -> None:
    client_id = host.client()
    host.pages["/client.json"] = Page({}, 503)
    with pytest.raises(OAuthError) as refused:
        await world.parts.clients.find(client_id)
    assert (refused.value.error, refused.value.status) == ("temporarily_unavailable", 503)


async def test_an_address_that_is_not_allowed_is_not_told_about(host: Host, tmp_path: Any) -> None:
    fetched = Fetched(settings_for(tmp_path, GATEPOST_UPSTREAM_NETWORKS=""))
    with pytest.raises(Unfetched, match="at no address that Gatepost connects to"):
        await fetched.get(host.client())
    assert host.asked == []


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("cache_control", "life"),
    [
        ("", 300),
        ("no-store", 300),
        ("max-age=1", 300),
        ("public, max-age=900", 900),
        ("max-age=99999999", 86_400),
    ],
)
async def test_a_document_is_kept_as_its_host_says_within_bounds(
    settings: Settings, host: Host, cache_control: str, life: float
) -> None:
    clock = Clock()
    fetched, url = Fetched(settings, clock), host.client()
    host.pages["/client.json"].headers = {**JSON, "Cache-Control": cache_control}
    for passed, asked in ((0.0, 1), (life - 1, 1), (2.0, 2)):
        clock.now += passed
        await fetched.get(url)
        assert len(host.asked) == asked


async def test_what_was_there_serves_on_for_a_day_while_its_host_fails(
    settings: Settings, host: Host
) -> None:
    clock = Clock()
    fetched, url = Fetched(settings, clock), host.client()
    there = await fetched.get(url)
    host.pages["/client.json"] = Page({}, 500)
    clock.now += 400
    assert await fetched.get(url) == there
    assert await fetched.get(url) == there
    assert len(host.asked) == 2, "a failure is not asked after again for a minute"
    clock.now += 86_400
    with pytest.raises(Unfetched, match="status 500"):
        await fetched.get(url)


async def test_a_document_that_was_taken_away_ends_its_client(settings: Settings, host: Host) -> None:
    clock = Clock()
    fetched, url = Fetched(settings, clock), host.client()
    await fetched.get(url)
    del host.pages["/client.json"]
    clock.now += 400
    with pytest.raises(Unfetched, match="status 404"):
        await fetched.get(url)


async def test_the_documents_that_are_kept_are_bounded(
    settings: Settings, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.clients.fetched.KEPT", 2)
    fetched = Fetched(settings)
    for name in "abca":
        await fetched.get(host.client(f"/{name}"))
    assert host.asked == ["/a", "/b", "/c", "/a"]


async def test_no_flood_of_ids_takes_every_connection(
    settings: Settings, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.clients.fetched.AT_ONCE", 2)
    fetched = Fetched(settings)
    host.go_on.clear()
    asking = [asyncio.create_task(fetched.get(host.client(f"/{name}"))) for name in "ab"]
    while len(host.asked) < 2:
        await asyncio.sleep(0.01)
    with pytest.raises(Unfetched, match="too many"):
        await fetched.get(host.client("/c"))
    host.go_on.set()
    await asyncio.gather(*asking)


async def test_strangers_documents_shut_out_no_client_that_is_known(settings: Settings, host: Host) -> None:
    now = [0.0]
    fetched = Fetched(settings, lambda: now[0])
    known = await fetched.get(host.client())
    now[0] = 1000.0
    host.go_on.clear()
    strangers = [asyncio.create_task(fetched.get(f"{host.url}/{n}.json")) for n in range(AT_ONCE)]
    while len(host.asked) <= AT_ONCE:
        await asyncio.sleep(0.01)
    assert await fetched.get(host.url + "/client.json") == known
    with pytest.raises(Unfetched, match="too many"):
        await fetched.get(host.url + "/another.json")
    host.go_on.set()
    await asyncio.gather(*strangers, return_exceptions=True)
