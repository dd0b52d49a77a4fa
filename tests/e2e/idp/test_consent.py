"""The consent page in a real browser, which holds every redirect against the policy of the page before it."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.bypass.certificates import Authority
from tests.e2e.idp.conftest import CHROMIUM
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
APP = "app.example"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    """Where the client's answers go, an https site by a name that is not this machine's."""
    certificate, key = Authority.make(tmp_path_factory.mktemp("site")).issue(APP)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    recorder = Recorder(context)
    yield recorder
    recorder.stop()


@pytest.fixture(scope="module")
def page(site: Recorder) -> Iterator[Page]:
    """A page of a Chromium that finds the site."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium: apt-get install chromium")
    found = f"--host-resolver-rules=MAP {APP} 127.0.0.1:{site.port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", found])
        with browser.new_context(ignore_https_errors=True) as context:
            context.set_default_timeout(20_000)
            yield context.new_page()
        browser.close()


@pytest.fixture(scope="module")
def address(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The authorization request of a client that an administrator registered."""
    callback = f"https://{APP}/callback"
    file: Path = tmp_path_factory.mktemp("client") / "client.json"
    file.write_text(
        f'{{"client_id": "portal", "name": "Portal", "auth_method": "none", "redirect_uris": ["{callback}"]}}'
    )
    stack.command("client", "add", str(file))
    asked = {"response_type": "code", "client_id": "portal", "redirect_uri": callback, "state": "s1",
             "code_challenge": "A" * 43, "code_challenge_method": "S256"}  # fmt: skip
    return f"{stack.url}/oauth/authorize?{urlencode(asked)}"


def log_in(page: Page, stack: Stack) -> None:
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(stack.file("secrets", "admin_password").read_text().strip())
    page.keyboard.press("Enter")


def arrived(site: Recorder) -> bool:
    return any(one.target.startswith("/callback?code=") and "state=s1" in one.target for one in site.received)


def test_a_person_allows_by_the_keyboard_alone(
    page: Page, stack: Stack, site: Recorder, address: str
) -> None:
    page.goto(address)
    log_in(page, stack)
    expect(page.get_by_role("heading", name="Allow Portal?")).to_be_visible()
    expect(page.get_by_text("registered by an administrator")).to_be_visible()
    expect(page.get_by_role("radio", name="All that I may do there")).to_be_checked()
    while not page.get_by_role("button", name="Allow").evaluate("one => one === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(lambda: arrived(site), what="the answer to the client")
    page.wait_for_url("**/callback?*")  # the next test goes on with the same page


def test_a_person_who_allowed_it_before_goes_from_the_login_straight_to_the_client(
    page: Page, stack: Stack, site: Recorder, address: str
) -> None:
    page.context.clear_cookies()
    site.received.clear()
    page.goto(address)
    log_in(page, stack)
    until(lambda: arrived(site), what="the answer to the client")
