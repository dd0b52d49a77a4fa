import time
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from app.auth.providers.base import LoginRefused
from app.auth.sessions.following import RENEWED_AFTER_S
from tests.unit.auth.providers.oidc.openid import OpenId

pytestmark = pytest.mark.anyio
SESSION = "gatepost_session"


async def back(world: Any, openid: OpenId, **changes: str) -> httpx2.Response:
    """What the gateway answers to a browser that comes back from the provider."""
    asked = await world.public.get("/login/corp", params={"next": "/ui/servers"})
    assert asked.status_code == 303, asked.text
    code, state = openid.code(asked.headers["location"])
    return await world.public.get("/callback/corp", params={"code": code, "state": state, **changes})


async def logged_in(world: Any, openid: OpenId) -> str:
    answer = await back(world, openid)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/servers"), answer.text
    return str(world.public.cookies[SESSION])


async def test_a_login_ends_where_it_began_as_the_person_of_the_id_token(world: Any, openid: OpenId) -> None:
    await logged_in(world, openid)
    person = await world.parts.people.find("corp:alice")
    assert (person.name, person.mail) == ("Alice", "alice@corp.example")
    assert person.groups == ["fin-team"]


async def test_claims_that_the_id_token_lacks_come_from_userinfo(world: Any, openid: OpenId) -> None:
    openid.id_claims = {"groups": None}
    openid.userinfo = {"sub": "alice", "groups": ["from-userinfo"]}
    await logged_in(world, openid)
    assert (await world.parts.people.find("corp:alice")).groups == ["from-userinfo"]


async def test_userinfo_of_another_person_logs_nobody_in(world: Any, openid: OpenId) -> None:
    openid.id_claims = {"groups": None}
    openid.userinfo = {"sub": "mallory", "groups": ["admins"]}
    answer = await back(world, openid)
    assert (answer.status_code, "speaks of two people" in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "http://127.0.0.1:1/corp"}, "another issuer"),
        ({"aud": "somebody-else"}, "for another client"),
        ({"aud": ["gatepost", "somebody-else"]}, "issued to another client"),
        ({"azp": "somebody-else"}, "issued to another client"),
        ({"exp": int(time.time()) - 120}, "has expired"),
        ({"exp": None}, "no exp"),
        ({"iat": None}, "no iat"),
        ({"iat": int(time.time()) + 90_000}, "in the future"),
        ({"nonce": "of another login"}, "of another login"),
        ({"nonce": None}, "of another login"),
        ({"at_hash": "AAAA"}, "do not belong together"),
        ({"sub": None}, "has no sub"),
    ],
)
async def test_an_id_token_that_is_not_for_this_login_logs_nobody_in(
    world: Any, openid: OpenId, claims: dict[str, Any], reason: str
) -> None:
    openid.id_claims = claims
    answer = await back(world, openid)
    assert answer.status_code == 403
    assert reason in answer.text
    assert SESSION not in world.public.cookies


async def test_an_answer_that_names_another_provider_logs_nobody_in(world: Any, openid: OpenId) -> None:
    openid.discovery = {"authorization_response_iss_parameter_supported": True}
    assert (await back(world, openid, iss="https://evil.example")).status_code == 403
    assert (await back(world, openid)).status_code == 403
    assert (await back(world, openid, iss=openid.issuer)).status_code == 303
    assert [path for path, _ in openid.asked].count("/token") == 1


async def test_a_state_of_another_browser_logs_nobody_in(world: Any, openid: OpenId) -> None:
    assert (await back(world, openid, state="_" + "0" * 40)).status_code == 403
    assert "/token" not in [path for path, _ in openid.asked]


async def test_a_refusal_is_told_without_the_words_of_the_provider(world: Any, openid: OpenId) -> None:
    answer = await back(world, openid, error="access_denied", error_description="call 555-0100 now")
    assert (answer.status_code, "the login was cancelled" in answer.text) == (403, True)
    assert "555-0100" not in answer.text


async def test_a_provider_that_refuses_the_client_is_told_apart_from_one_that_refuses_the_person(
    world: Any, openid: OpenId
) -> None:
    openid.refusal = "invalid_client"
    answer = await back(world, openid)
    assert (answer.status_code, "gatepost idp check corp" in answer.text) == (503, True)
    openid.refusal = "invalid_grant"
    assert (await back(world, openid)).status_code == 403
    openid.refusal = "not_allowed"
    assert "leave offline_access out of scopes" in (await back(world, openid)).text


async def test_a_provider_that_says_nothing_of_groups_is_noted_in_the_log(world: Any, openid: OpenId) -> None:
    def noted(lines: list[Any]) -> list[str]:
        return [line["subject"] for line in lines if line["event"] == "the provider sends no groups"]

    with capture_logs() as lines:
        openid.id_claims = {"groups": []}
        await back(world, openid)
        assert noted(lines) == []
        openid.id_claims = {"groups": None}
        assert (await back(world, openid)).status_code == 303
    assert noted(lines) == ["corp:alice"]


async def test_a_document_of_another_issuer_is_not_used(world: Any, openid: OpenId) -> None:
    openid.discovery = {"issuer": "https://login.example/{tenantid}/v2.0"}
    answer = await world.public.get("/login/corp")
    assert (answer.status_code, "stands for many tenants" in answer.text) == (503, True)


async def test_a_renewed_login_brings_the_groups_of_now_and_keeps_the_new_refresh_token(
    world: Any, openid: OpenId
) -> None:
    session = await world.parts.sessions.find(await logged_in(world, openid))
    first = await world.parts.logins.find(session.login)
    openid.id_claims = {"groups": ["other-team"], "nonce": None}
    await world.parts.renewal.renew(session.login)
    assert (await world.parts.people.find("corp:alice")).groups == ["other-team"]
    assert (await world.parts.logins.find(session.login)).refresh_token != first.refresh_token


async def test_a_renewal_that_answers_with_another_person_is_refused(world: Any, openid: OpenId) -> None:
    session = await world.parts.sessions.find(await logged_in(world, openid))
    openid.id_claims = {"sub": "mallory", "nonce": None}
    with pytest.raises(LoginRefused, match="another person"):
        await world.parts.renewal.renew(session.login)
    assert await world.parts.people.find("corp:mallory") is None


@pytest.mark.parametrize(("refusal", "lives"), [("invalid_grant", False), ("temporarily_unavailable", True)])
async def test_an_old_session_ends_where_the_provider_no_longer_vouches_for_the_person(
    world: Any, openid: OpenId, refusal: str, lives: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = await logged_in(world, openid)
    openid.refusal = refusal
    asks = {"Gatepost-Session": value}
    assert (await world.internal.get("/internal/verdict?resource=/ui", headers=asks)).status_code == 200
    await world.parts.background.finish()
    assert await world.parts.sessions.find(value) is not None
    monkeypatch.setattr("app.auth.sessions.following.RENEWED_AFTER_S", -RENEWED_AFTER_S)
    assert (await world.internal.get("/internal/verdict?resource=/ui", headers=asks)).status_code == 200
    await world.parts.background.finish()
    assert (await world.parts.sessions.find(value) is not None) == lives


async def test_a_logout_leads_to_the_provider_and_with_it_away_ends_here_alone(
    world: Any, openid: OpenId
) -> None:
    here = {"Origin": world.parts.settings.public_url}
    value = await logged_in(world, openid)
    login = (await world.parts.sessions.find(value)).login
    page = await world.public.post("/logout", headers=here)
    assert page.status_code == 200
    assert f"{openid.issuer}/out?client_id=gatepost" in page.text
    assert "id_token_hint=" in page.text
    assert await world.parts.logins.find(login) is None
    value = await logged_in(world, openid)
    login = (await world.parts.sessions.find(value)).login
    await world.parts.store.put("grants", "g", {"login": login})
    await world.public.post("/logout", headers=here)
    assert await world.parts.logins.find(login) is not None
