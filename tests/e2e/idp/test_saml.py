"""Keycloak as a SAML provider, through a browser; and what of its own response, altered, is refused."""

import base64
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest
from lxml import etree
from playwright.sync_api import Page, expect

from tests.e2e.idp.keycloak import Keycloak
from tests.e2e.idp.realm import PASSWORD
from tests.e2e.stack import Stack
from tests.saml_provider import NAMES, signed, signer

pytestmark = pytest.mark.e2e
Element = etree._Element
NAME = "corp"


@pytest.fixture(scope="module")
def stack(keycloak: Keycloak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    providers = [
        {"type": "saml", "name": NAME, "label": "Corp", "metadata_url": keycloak.saml_metadata},
        {"type": "local"},
    ]
    stack = Stack.start(
        tmp_path_factory.mktemp("saml"),
        GATEPOST_IDENTITY_PROVIDERS=json.dumps(providers),
        GATEPOST_ADMIN_PASSWORD="only-for-this-test",
    )
    keycloak.admit_saml(stack.url, NAME)
    scope = {
        "name": "fin",
        "groups": ["fin-team"],
        "registry": [{"actions": ["servers:read"], "servers": ["*"]}],
    }
    stack.api("POST", "/api/scopes", scope, expect=201)
    yield stack
    stack.stop()


def log_in_at_keycloak(page: Page, stack: Stack, person: str) -> None:
    page.goto(f"{stack.url}/login?choose=true")
    page.get_by_role("link", name="Log in with Corp").click()
    page.get_by_label("Username or email").fill(person)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign In").click()


def test_a_browser_logs_in_through_keycloak(stack: Stack, page: Page) -> None:
    log_in_at_keycloak(page, stack, "bob")
    expect(page).to_have_url(f"{stack.url}/ui")
    expect(page.get_by_text(f"Logged in as {NAME}:bob")).to_be_visible()
    (cookie,) = [cookie for cookie in page.context.cookies(stack.url) if cookie["name"] == "gatepost_session"]
    headers = {"Cookie": f"gatepost_session={cookie['value']}", "Origin": stack.url}
    assert httpx2.get(f"{stack.url}/api/me", headers=headers).json()["groups"] == ["fin-team"]
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in with Corp")).to_be_visible()


class Captured:
    """A response of Keycloak that was on its way to the gateway in somebody's browser."""

    def __init__(self, stack: Stack, page: Page) -> None:
        self.stack = stack
        self.page = page
        page.route("**/acs", lambda route: route.abort())
        with page.expect_request("**/acs") as posted:
            log_in_at_keycloak(page, stack, "alice")
        self.xml = base64.b64decode(parse_qs(posted.value.post_data or "")["SAMLResponse"][0])

    def post(self, response: Element | bytes) -> httpx2.Response:
        xml = response if isinstance(response, bytes) else etree.tostring(response)
        form = {"SAMLResponse": base64.b64encode(xml).decode()}
        return httpx2.post(f"{self.stack.url}/saml/{NAME}/acs", data=form)


@pytest.fixture
def captured(stack: Stack, page: Page) -> Captured:
    return Captured(stack, page)


def unsigned(response: Element) -> Element:
    for signature in response.findall(".//ds:Signature", NAMES):
        signature.getparent().remove(signature)
    return response


def re_signed(response: Element) -> Element:
    bare = unsigned(response)
    return signed(bare, bare.find("a:Assertion", NAMES), signer("evil"))


def wrapped(response: Element) -> Element:
    """The signed assertion goes into the forged one, which the response has in its place."""
    original = response.find("a:Assertion", NAMES)
    forged = unsigned(copy.deepcopy(original))
    forged.set("ID", "_forged")
    forged.find(".//a:NameID", NAMES).text = "admin"
    response.replace(original, forged)
    forged.append(original)
    return response


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (unsigned, "the assertion is not signed"),
        (re_signed, "no certificate of the identity provider&#39;s metadata"),
        (wrapped, "more than one assertion"),
    ],
)
def test_an_altered_response_of_keycloak_is_refused(
    captured: Captured, alter: Callable[[Element], Element], reason: str
) -> None:
    answer = captured.post(alter(etree.fromstring(captured.xml)))
    assert answer.status_code == 403
    assert reason in answer.text


def test_a_response_of_keycloak_is_taken_once_and_for_one_browser(captured: Captured) -> None:
    first = captured.post(captured.xml)
    assert first.status_code == 303
    again = captured.post(captured.xml)
    assert (again.status_code, "used before" in again.text) == (403, True)
    place = f"{captured.stack.url}{first.headers['location']}"
    stolen = httpx2.get(place)
    assert (stolen.status_code, "did not ask for this login" in stolen.text) == (403, True)
    captured.page.goto(place)
    expect(captured.page.get_by_role("alert")).to_contain_text("finished already")


def test_no_log_has_the_assertion(captured: Captured) -> None:
    captured.post(unsigned(etree.fromstring(captured.xml)))
    logs = "".join(file.read_text() for file in Path(captured.stack.file("logs")).iterdir())
    assert "not signed" in logs
    assert base64.b64encode(captured.xml).decode()[:64] not in logs
    assert "NameID" not in logs
