"""People log in through a provider shaped as Entra ID and as Cognito, with nothing but the presets."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.e2e.idp.openid_provider import FEW, MANY, OpenIdProvider
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stack(
    running_entra: OpenIdProvider,
    running_cognito: OpenIdProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("openid")
    providers = [
        running_entra.provider(folder / "entra", tokens={"audiences": ["api://gatepost"]}),
        running_cognito.provider(folder / "cognito", tokens={"audiences": ["report-agent"]}),
        {"type": "local"},
    ]
    stack = Stack.start(
        tmp_path_factory.mktemp("stack"),
        GATEPOST_IDENTITY_PROVIDERS=json.dumps(providers),
        GATEPOST_ADMIN_PASSWORD="only-for-this-test",
    )
    # What a person's groups are is told of those that scopes name.
    scope = {"name": "seen", "groups": [*FEW, *MANY, "Tools.Call", "Reports.Read"]}
    seen = {"registry": [{"actions": ["servers:read"], "servers": ["*"]}]}
    stack.api("POST", "/api/scopes", {**scope, **seen}, expect=201)
    yield stack
    stack.stop()


@pytest.fixture
def browser() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=20) as client:
        yield client


def log_in(browser: httpx2.Client, stack: Stack, provider: OpenIdProvider, name: str) -> dict[str, Any]:
    """What `/api/me` says of a person who logged in."""
    page = browser.get(f"{stack.url}/login/{provider.shape}", follow_redirects=True)
    arrived = provider.sign_in(browser, page, name)
    assert (str(arrived.url), arrived.status_code) == (f"{stack.url}/ui", 200), arrived.text
    answer = browser.get(f"{stack.url}/api/me", headers={"Origin": stack.url})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def log_out(browser: httpx2.Client, stack: Stack) -> str:
    """Where the gateway sends the browser to log out at the provider."""
    page = browser.post(f"{stack.url}/logout", headers={"Origin": stack.url})
    assert page.status_code == 200
    return page.text.partition('href="')[2].partition('"')[0].replace("&amp;", "&")


def test_a_person_of_entra_has_the_groups_of_the_token(
    stack: Stack, entra: OpenIdProvider, browser: httpx2.Client
) -> None:
    me = log_in(browser, stack, entra, "dora")
    assert (me["subject"], me["groups"]) == ("entra:oid-dora", sorted(FEW))


def test_a_person_with_too_many_groups_for_a_token_has_all_of_them_and_the_roles(
    stack: Stack, entra: OpenIdProvider, browser: httpx2.Client
) -> None:
    assert log_in(browser, stack, entra, "emil")["groups"] == sorted([*MANY, "Tools.Call"])


def test_a_person_of_cognito_has_the_groups_of_the_pool(
    stack: Stack, cognito: OpenIdProvider, browser: httpx2.Client
) -> None:
    me = log_in(browser, stack, cognito, "dora")
    assert (me["subject"], me["groups"]) == ("cognito:dora", sorted(FEW))


def test_an_answer_for_another_browser_logs_nobody_in(
    stack: Stack, entra: OpenIdProvider, browser: httpx2.Client
) -> None:
    page = browser.get(f"{stack.url}/login/entra", follow_redirects=True)
    back = browser.post(page.url, data={"name": "dora"})
    while not back.headers["location"].startswith(stack.url):
        back = browser.get(back.headers["location"])
    callback = back.headers["location"]
    assert set(parse_qs(urlsplit(callback).query)) >= {"code", "state"}
    with httpx2.Client() as victim:
        victim.get(f"{stack.url}/login/entra")
        answer = victim.get(callback)
    assert (answer.status_code, "gatepost_session" in answer.headers.get("set-cookie", "")) == (403, False)
    assert "this browser did not ask for this login" in answer.text


def test_a_code_is_good_for_the_login_it_was_made_for_and_no_other(
    stack: Stack, entra: OpenIdProvider, browser: httpx2.Client
) -> None:
    first = browser.get(f"{stack.url}/login/entra", follow_redirects=True)
    back = browser.post(first.url, data={"name": "dora"})
    while not back.headers["location"].startswith(stack.url):
        back = browser.get(back.headers["location"])
    code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
    with httpx2.Client() as other:
        asked = other.get(f"{stack.url}/login/entra").headers["location"]
        state = parse_qs(urlsplit(asked).query)["state"][0]
        query = {"code": code, "state": state, "iss": entra.issuer}
        answer = other.get(f"{stack.url}/callback/entra", params=query)
    assert (answer.status_code, "does not vouch for you" in answer.text) == (403, True)


@pytest.mark.parametrize("shape", ["entra", "cognito"])
def test_a_logout_ends_the_session_at_the_provider_too(
    stack: Stack, browser: httpx2.Client, shape: str, request: pytest.FixtureRequest
) -> None:
    provider: OpenIdProvider = request.getfixturevalue(shape)
    log_in(browser, stack, provider, "dora")
    there = browser.get(log_out(browser, stack), follow_redirects=True)
    if shape == "entra":  # it has the browser confirm by a script
        action = there.text.partition('action="')[2].partition('"')[0]
        xsrf = there.text.partition('name="xsrf" value="')[2].partition('"')[0]
        there = browser.post(action, data={"xsrf": xsrf, "logout": "yes"}, follow_redirects=True)
    assert str(there.url) == f"{stack.url}/login?choose=true"
    assert browser.get(f"{stack.url}/api/me", headers={"Origin": stack.url}).status_code == 401
    again = browser.get(f"{stack.url}/login/{shape}", follow_redirects=True)
    assert urlsplit(str(again.url)).port == provider.port


@pytest.mark.parametrize(
    ("shape", "subject", "groups"),
    [
        ("entra", "entra:0d1f4c52-7c8e-4a55-9c0e-2b8a5f3e4d10", ["Reports.Read"]),
        ("cognito", "cognito:report-agent", []),
    ],
)
def test_an_application_calls_with_the_providers_own_token(
    stack: Stack, shape: str, subject: str, groups: list[str], request: pytest.FixtureRequest
) -> None:
    provider: OpenIdProvider = request.getfixturevalue(shape)
    me = stack.api("GET", "/api/me", token=provider.service_token(), expect=200).json()
    assert (me["subject"], me["client"], me["groups"]) == (subject, f"{shape}:report-agent", groups)


@pytest.mark.parametrize("shape", ["entra", "cognito"])
def test_a_check_finds_no_fault_in_what_works(stack: Stack, shape: str) -> None:
    report = json.loads(stack.command("idp", "check", shape, "--json").stdout)
    assert report["ok"]
    assert [step["step"] for step in report["steps"] if step["state"] == "failed"] == []
    assert "connection" in [step["step"] for step in report["steps"]]
