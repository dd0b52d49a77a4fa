"""What a Keycloak that changes or goes away does to those who log in there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from mcp import MCPError
from playwright.sync_api import Browser, Page, expect

from tests.e2e.idp.corporate import Corporate
from tests.e2e.idp.people import let_in, log_in
from tests.e2e.idp.sdk_client import PersonWanted, SdkClient
from tests.e2e.idp.tokens import header
from tests.e2e.stack import until

pytestmark = pytest.mark.e2e
SUM = {"result": 5}


@pytest.fixture
def client(corporate: Corporate, page: Page) -> Iterator[SdkClient]:
    """A client that carol has let in."""
    with SdkClient(corporate.server_url) as client:
        assert client.call("add", {"a": 2, "b": 3}, lambda address: let_in(page, address, "carol")) == SUM
        client.asked.clear()
        yield client


def test_a_group_that_is_taken_away_is_gone_at_the_next_refresh(
    corporate: Corporate, client: SdkClient
) -> None:
    with corporate.keycloak.without_group("carol", "fin-team"):
        client.expire()
        with pytest.raises(MCPError, match="no scope of yours"):
            client.call("add", {"a": 2, "b": 3})
    client.expire()
    assert client.call("add", {"a": 2, "b": 3}) == SUM


def test_who_is_disabled_at_keycloak_is_out_at_the_next_refresh(
    corporate: Corporate, client: SdkClient
) -> None:
    assert client.kept.tokens
    token = client.kept.tokens.access_token
    personal = corporate.personal_token("carol")
    assert corporate.outcome(personal) == "ran"
    with corporate.keycloak.disabled("carol"):
        client.expire()
        with pytest.raises(PersonWanted):
            client.call("add", {"a": 2, "b": 3})
        until(lambda: corporate.outcome(token) != "ran", 2, what="its refusal")
        until(lambda: corporate.outcome(personal) != "ran", 2, what="the end of the personal token")


def test_while_keycloak_is_away_what_is_known_goes_on_and_logins_are_told_why(
    corporate: Corporate, client: SdkClient, browser: Browser
) -> None:
    own = corporate.keycloak.service_token()
    assert corporate.outcome(own) == "ran"
    with corporate.keycloak.stopped(), browser.new_page() as page:
        assert corporate.outcome(own) == "ran"
        assert client.call("add", {"a": 2, "b": 3}) == SUM
        client.expire()
        assert client.call("add", {"a": 2, "b": 3}) == SUM
        address = f"{corporate.stack.url}/login/corp"
        # That it answered a moment ago is taken for granted.
        until(lambda: httpx2.get(address).status_code == 503, what="a refusal to send anybody to it")
        page.goto(address)
        expect(page.get_by_role("alert")).to_contain_text("corp at localhost")
        expect(page.get_by_label("Password")).to_be_visible()
    with browser.new_page() as page:
        log_in(page, corporate.stack, "Corp", "carol")


def test_no_call_fails_while_keycloaks_keys_are_rotated(corporate: Corporate, client: SdkClient) -> None:
    before = corporate.keycloak.service_token()
    corporate.keycloak.rotate_keys()
    after = [corporate.keycloak.service_token() for _ in range(8)]
    assert header(before)["kid"] != header(after[0])["kid"]
    with ThreadPoolExecutor(8) as at_once:
        assert set(at_once.map(corporate.outcome, [*after, before])) == {"ran"}
    client.expire()
    assert client.call("add", {"a": 2, "b": 3}) == SUM
