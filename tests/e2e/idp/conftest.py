"""Real identity providers and a real browser, for every test of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.idp import keycloak as keycloak_part
from tests.e2e.idp.keycloak import Keycloak

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """One Keycloak for all; a test puts back what it changes."""
    if reason := keycloak_part.missing():
        pytest.skip(reason)
    here = Keycloak(tmp_path_factory.mktemp("keycloak"))
    try:
        here.make()
        yield here
    finally:
        here.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium without a window."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser with no cookies and no history."""
    with browser.new_context() as context:
        context.set_default_timeout(20_000)
        yield context.new_page()
