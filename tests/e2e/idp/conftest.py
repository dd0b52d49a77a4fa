"""Real identity providers and a real browser, for every test of this folder.

`tests/run` installs them and says where they are in KEYCLOAK and OPENID_PROVIDER_NODE; where pytest is called
by hand, `tests/e2e/idp/install_keycloak` and `tests/e2e/idp/provider/install` print what to put there.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from app.cli.nginx import find
from tests.e2e.idp import keycloak as keycloak_part
from tests.e2e.idp import openid_provider
from tests.e2e.idp.corporate import Corporate
from tests.e2e.idp.keycloak import Keycloak
from tests.e2e.idp.openid_provider import OpenIdProvider

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
def corporate(keycloak: Keycloak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corporate]:
    """One Gatepost with Keycloak's people, for every test that needs no settings of its own."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    with Corporate.running(tmp_path_factory.mktemp("corporate"), keycloak) as here:
        yield here


@pytest.fixture(scope="session")
def running_entra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    yield from _running(OpenIdProvider("entra", tmp_path_factory.mktemp("entra") / "log"))


@pytest.fixture(scope="session")
def running_cognito(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    yield from _running(OpenIdProvider("cognito", tmp_path_factory.mktemp("cognito") / "log"))


@pytest.fixture
def entra(running_entra: OpenIdProvider) -> OpenIdProvider:
    """A provider in the shape of Entra ID, its people as at the start."""
    running_entra.restore()
    return running_entra


@pytest.fixture
def cognito(running_cognito: OpenIdProvider) -> OpenIdProvider:
    """A provider in the shape of Cognito, its people as at the start."""
    running_cognito.restore()
    return running_cognito


def _running(provider: OpenIdProvider) -> Iterator[OpenIdProvider]:
    if reason := openid_provider.missing():
        pytest.skip(reason)
    try:
        provider.start()
        yield provider
    finally:
        provider.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium without a window, for a module: its event loop is the thread's until the end of it.

    So a module with a browser has no tests that are coroutines.
    """
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
