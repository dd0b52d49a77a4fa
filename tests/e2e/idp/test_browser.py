import pytest
from playwright.sync_api import Page, expect

from tests.e2e.idp.corporate import Corporate
from tests.e2e.idp.people import log_in, log_out, sign_in_at_keycloak
from tests.e2e.stack import until

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("provider", ["Corp", "Corp SAML"])
def test_a_person_logs_in_through_keycloak_to_the_landing_page_and_out_again(
    corporate: Corporate, page: Page, provider: str
) -> None:
    log_in(page, corporate.stack, provider, "bob")
    expect(page.get_by_role("heading", name="Servers")).to_be_visible()
    expect(page.get_by_role("heading", name="tools")).to_be_visible()
    log_out(page, corporate.stack)
    page.goto(f"{corporate.stack.url}/ui")
    expect(page.get_by_role("heading", name="Log in to Gatepost")).to_be_visible()


def test_a_logout_ends_the_session_that_the_person_had_at_keycloak(corporate: Corporate, page: Page) -> None:
    page.goto(f"{corporate.keycloak.issuer}/account")
    sign_in_at_keycloak(page, "carol")
    expect(page.get_by_text("Personal info").first).to_be_visible()
    page.goto(f"{corporate.stack.url}/login/corp")
    expect(page).to_have_url(f"{corporate.stack.url}/ui")
    assert corporate.keycloak.sessions("carol")
    log_out(page, corporate.stack)
    assert corporate.keycloak.sessions("carol") == []


def test_a_logout_ends_the_refresh_token_too_where_no_client_works_by_it(
    corporate: Corporate, page: Page
) -> None:
    before = len(corporate.keycloak.offline_sessions("bob"))
    log_in(page, corporate.stack, "Corp", "bob")
    assert len(corporate.keycloak.offline_sessions("bob")) == before + 1
    log_out(page, corporate.stack)
    until(lambda: len(corporate.keycloak.offline_sessions("bob")) == before, what="the revocation")


def test_who_is_in_no_group_that_a_scope_names_sees_no_server(corporate: Corporate, page: Page) -> None:
    with corporate.keycloak.without_group("carol", "fin-team"):
        log_in(page, corporate.stack, "Corp", "carol")
        expect(page.get_by_role("heading", name="tools")).to_have_count(0)
