import base64
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from lxml import etree

from app.auth.providers.saml import metadata_source
from app.core.settings import Settings
from tests.saml_provider import ISSUER, Saying, Signer, encoded, metadata, signer
from tests.unit.auth.conftest import settings_for

pytestmark = pytest.mark.anyio
HERE = "http://127.0.0.1:8080"
OURS = f"{HERE}/saml/corp"


@pytest.fixture
def metadata_file(tmp_path: Path) -> Path:
    file = tmp_path / "idp.xml"
    file.write_bytes(metadata())
    return file


@pytest.fixture
def settings(tmp_path: Path, metadata_file: Path) -> Settings:
    corp = {"type": "saml", "name": "corp", "label": "Corp", "metadata_file": str(metadata_file)}
    blocks = [corp, {**corp, "name": "other"}, {"type": "local"}]
    return settings_for(tmp_path, GATEPOST_IDENTITY_PROVIDERS=json.dumps(blocks))


@pytest.fixture
async def other_browser(world: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=world.public._transport, base_url=HERE) as browser:
        yield browser


async def asked(
    browser: httpx2.AsyncClient, provider: str = "corp", after: str = "/ui/servers"
) -> etree._Element:
    """The request that a browser takes to the identity provider."""
    answer = await browser.get(f"/login/{provider}", params={"next": after})
    assert answer.status_code == 303, answer.text
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == f"{ISSUER}/login"
    query = parse_qs(target.query)
    assert query["a"] == ["1"]
    return etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))


def saying(request: str | None, **more: Any) -> Saying:
    now = datetime.now(UTC)
    times = {"starts": f"{now:%FT%TZ}", "ends": f"{now + timedelta(seconds=90):%FT%TZ}"}
    to = {"audience": f"{OURS}/metadata", "recipient": f"{OURS}/acs", "destination": f"{OURS}/acs"}
    return Saying(request=request, answered=request, **{**times, **to, **more})


async def posted(browser: httpx2.AsyncClient, said: Saying, by: Signer | None = None) -> httpx2.Response:
    """What the gateway answers to the provider's form, which the browser sends without cookies."""
    form = {"SAMLResponse": encoded(said.signed(by)), "RelayState": "https://evil.example"}
    async with httpx2.AsyncClient(transport=browser._transport, base_url=HERE) as without_cookies:
        return await without_cookies.post("/saml/corp/acs", data=form, headers={"Origin": ISSUER})


async def test_a_login_ends_where_it_began_as_the_person_of_the_assertion(world: Any) -> None:
    request = await asked(world.public)
    answer = await posted(world.public, saying(request.get("ID"), name_id="alice"))
    assert (answer.status_code, "set-cookie" in answer.headers) == (303, False)
    finished = await world.public.get(answer.headers["location"])
    assert (finished.status_code, finished.headers["location"]) == (303, "/ui/servers")
    session = {"Gatepost-Session": world.public.cookies["gatepost_session"]}
    verdict = await world.internal.get("/internal/verdict?resource=/ui", headers=session)
    assert verdict.json()["caller"]["principal"] == "corp:alice"
    person = await world.parts.people.find("corp:alice")
    assert (person.provider, person.groups) == ("corp", ["fin-team", "staff"])


async def test_the_request_names_us_and_where_the_answer_goes(world: Any) -> None:
    request = await asked(world.public)
    assert request.get("AssertionConsumerServiceURL") == f"{OURS}/acs"
    assert request.findtext("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer") == f"{OURS}/metadata"
    assert request.get("ID").startswith("_")


async def test_our_metadata_says_the_same_and_wants_signed_assertions(world: Any) -> None:
    answer = await world.public.get("/saml/corp/metadata")
    assert answer.headers["content-type"] == "application/samlmetadata+xml"
    root = etree.fromstring(answer.content)
    assert root.get("entityID") == f"{OURS}/metadata"
    (role,) = root
    assert role.get("WantAssertionsSigned") == "true"
    assert [service.get("Location") for service in role] == [f"{OURS}/acs"]


async def test_another_browser_cannot_be_logged_in_with_my_response(
    world: Any, other_browser: httpx2.AsyncClient
) -> None:
    mine = await asked(world.public)
    await asked(other_browser)
    answer = await posted(world.public, saying(mine.get("ID")))
    finished = await other_browser.get(answer.headers["location"])
    assert (finished.status_code, "gatepost_session" in other_browser.cookies) == (403, False)
    assert "did not ask for this login" in finished.text
    again = await world.public.get(answer.headers["location"])
    assert (again.status_code, "gatepost_session" in world.public.cookies) == (403, False)


async def test_a_browser_that_asked_for_nothing_is_not_logged_in(
    world: Any, other_browser: httpx2.AsyncClient
) -> None:
    answer = await posted(world.public, saying((await asked(world.public)).get("ID")))
    assert (await other_browser.get(answer.headers["location"])).status_code == 403


async def test_an_attempt_at_one_provider_is_not_ended_by_another(world: Any) -> None:
    request = await asked(world.public, "other")
    for finish, id in (("corp", "_a"), ("other", "_b")):
        answer = await posted(world.public, saying(request.get("ID"), id=id))
        place = answer.headers["location"].replace("corp", finish)
        finished = await world.public.get(place)
        assert (finished.status_code, "did not ask" in finished.text) == (403, True)


async def test_a_response_is_taken_once(world: Any) -> None:
    said = saying((await asked(world.public)).get("ID"))
    first = await posted(world.public, said)
    assert first.status_code == 303
    again = await posted(world.public, said)
    assert (again.status_code, "used before" in again.text) == (403, True)


async def test_an_outcome_is_fetched_once(world: Any) -> None:
    answer = await posted(world.public, saying((await asked(world.public)).get("ID")))
    assert (await world.public.get(answer.headers["location"])).status_code == 303
    assert (await world.public.get(answer.headers["location"])).status_code == 403


async def test_a_refusal_is_a_page_with_the_reason_and_a_line_without_the_assertion(
    world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await posted(world.public, saying(None, name_id="very-private"))
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert "answers no request" in answer.text
    assert "very-private" not in answer.text + "".join(capsys.readouterr())


async def test_a_form_without_a_response_is_refused(world: Any) -> None:
    answer = await world.public.post("/saml/corp/acs", data={})
    assert (answer.status_code, "no SAMLResponse" in answer.text) == (403, True)


@pytest.mark.parametrize("path", ["metadata", "finish"])
async def test_there_is_nothing_for_a_provider_that_is_no_saml(world: Any, path: str) -> None:
    assert (await world.public.get(f"/saml/local/{path}")).status_code == 404


async def test_a_new_certificate_in_the_metadata_is_found_when_it_is_used(
    world: Any, metadata_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata_source, "RENEWED_AT_MOST_EVERY_S", 0.0)
    new = signer("new")
    said = saying((await asked(world.public)).get("ID"))
    assert (await posted(world.public, said, new)).status_code == 403
    metadata_file.write_bytes(metadata(signer(), new))
    assert (await posted(world.public, said, new)).status_code == 303


async def test_metadata_is_read_again_at_most_so_often_whoever_posts(world: Any, metadata_file: Path) -> None:
    request = await asked(world.public)
    metadata_file.write_bytes(metadata(signer("new")))
    assert (await posted(world.public, saying(request.get("ID")), signer("new"))).status_code == 403


async def test_what_was_read_serves_on_while_the_metadata_is_away(
    world: Any, metadata_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(world.public)
    monkeypatch.setattr(metadata_source, "KEPT_S", 0.0)
    metadata_file.unlink()
    assert (await asked(world.public)).get("ID")


async def test_metadata_that_never_came_is_a_clear_page(world: Any, metadata_file: Path) -> None:
    metadata_file.write_text("<html/>")
    answer = await world.public.get("/login/corp")
    assert answer.status_code == 503
    assert f"the metadata of corp at {metadata_file} cannot be used" in answer.text


async def test_who_has_no_lasting_name_is_refused(world: Any) -> None:
    said = replace(saying((await asked(world.public)).get("ID")), name_id="")
    answer = await posted(world.public, said)
    assert (answer.status_code, "no NameID to know the person by" in answer.text) == (403, True)
