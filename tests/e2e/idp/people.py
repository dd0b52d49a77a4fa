"""What a person does in a browser on the way in and out."""

from playwright.sync_api import Page, expect

from tests.e2e.idp.realm import PASSWORD
from tests.e2e.stack import Stack


def sign_in_at_keycloak(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in Keycloak's own form, which must be what the browser shows."""
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign In").click()


def log_in(page: Page, stack: Stack, provider: str, name: str) -> None:
    """From Gatepost's login page through Keycloak to the landing page."""
    page.goto(f"{stack.url}/login?choose=true")
    page.get_by_role("link", name=f"Log in with {provider}", exact=True).click()
    sign_in_at_keycloak(page, name)
    expect(page).to_have_url(f"{stack.url}/ui")


def log_out(page: Page, stack: Stack) -> None:
    """By the button of the landing page."""
    page.goto(f"{stack.url}/ui")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in to Gatepost")).to_be_visible()


def let_in(page: Page, address: str, name: str, only: str | None = None) -> None:
    """Where an OAuth client sends a person: log in through Keycloak if asked to, and allow it.

    It gets what it asks for, or `only` one scope.
    """
    page.goto(address)
    link = page.get_by_role("link", name="Log in with Corp", exact=True)
    if link.count():
        link.click()
        sign_in_at_keycloak(page, name)
    if only:
        page.get_by_label("Only these scopes of mine").check()
        page.get_by_label(only).check()
    page.get_by_role("button", name="Allow").click()
