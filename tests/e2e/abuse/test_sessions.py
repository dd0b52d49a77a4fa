"""Sessions of browsers: made anew by each login, bound to this host, counted on the gateway's own pages."""

import json

import httpx2
import pytest

from tests.e2e.abuse.logins import log_in, password, session_of
from tests.e2e.abuse.raw import FORM, raw
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
PLAIN, HOST = "gatepost_session", "__Host-gatepost_session"
CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()


def sees_page(stack: Stack, cookie: str) -> bool:
    return httpx2.get(f"{stack.url}/ui", headers={"Cookie": cookie}).status_code == 200


def test_a_cookie_that_was_there_before_the_login_is_not_the_session_after_it(stack: Stack) -> None:
    planted = "x" * 43
    form = f"username=admin&password={password(stack)}".encode()
    sent = [("Origin", stack.url), FORM, ("Cookie", f"{PLAIN}={planted}")]
    reply = raw(stack, "POST", "/login", sent, form)
    (cookie,) = (value for value in reply.header("Set-Cookie") if value.startswith(PLAIN))
    assert planted not in cookie
    assert sees_page(stack, cookie.partition(";")[0])
    assert not sees_page(stack, f"{PLAIN}={planted}")


def test_a_new_login_in_the_same_browser_ends_the_session_before_it(stack: Stack) -> None:
    before = session_of(log_in(stack))["Cookie"]
    assert sees_page(stack, before)
    with httpx2.Client(headers={"Cookie": before}) as browser:
        after = session_of(log_in(stack, by=browser))["Cookie"]
    assert after != before
    until(lambda: not sees_page(stack, before), 2.5, "the end of the session before")
    assert sees_page(stack, after)


@pytest.mark.parametrize(
    "name",
    [
        HOST,
        "Gatepost_Session",
        "x gatepost_session",
        "x=gatepost_session",
        "gatepost-session",
        "__Secure-gatepost_session",
        "xgatepost_session",
    ],
)
def test_a_session_under_another_name_is_none(stack: Stack, name: str) -> None:
    value = session_of(log_in(stack))["Cookie"].partition("=")[2]
    assert not sees_page(stack, f"{name}={value}")


def test_over_https_a_session_without_the_prefix_is_none(tls_stack: Stack) -> None:
    form = {"username": "admin", "password": password(tls_stack)}
    with httpx2.Client(base_url=tls_stack.url, verify=False) as browser:
        answer = browser.post("/login", data=form, headers={"Origin": tls_stack.url})
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"{HOST}=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "domain" not in cookie.lower()
        value = cookie.partition(";")[0].partition("=")[2]
        browser.cookies.clear()
        assert browser.get("/ui", headers={"Cookie": f"{HOST}={value}"}).status_code == 200
        for name in (PLAIN, HOST.lower(), HOST.upper(), f"__Secure-{PLAIN}"):
            assert browser.get("/ui", headers={"Cookie": f"{name}={value}"}).status_code == 302


def test_on_loopback_the_cookie_is_kept_from_scripts_and_other_sites(stack: Stack) -> None:
    cookie = log_in(stack).headers["Set-Cookie"]
    assert cookie.startswith(f"{PLAIN}=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site")],
    ],
)
def test_a_session_does_not_count_where_another_site_asks(
    stack: Stack, headers: list[tuple[str, str]]
) -> None:
    cookie = ("Cookie", session_of(log_in(stack))["Cookie"])
    made = [*headers, cookie, ("Content-Type", "application/json")]
    assert raw(stack, "POST", "/mcp/registry", made, CALL).status == 403
    assert raw(stack, "POST", "/api/tokens", made, b'{"name":"stolen"}').status == 403
    assert raw(stack, "POST", "/logout", [*headers, cookie, FORM], b"a=b").status == 403
    assert sees_page(stack, cookie[1])


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1"])
def test_another_site_cannot_log_the_browser_in(stack: Stack, origin: str) -> None:
    form = f"username=admin&password={password(stack)}".encode()
    sent = [*([("Origin", origin)] if origin else []), FORM]
    reply = raw(stack, "POST", "/login", sent, form)
    assert reply.status == 403
    assert reply.header("Set-Cookie") == []


@pytest.mark.parametrize("path", ["/api/servers", "/mcp/registry", "/ui"])
@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "bearer_token"])
def test_a_token_in_the_query_is_no_credential(stack: Stack, path: str, name: str) -> None:
    token = stack.file("secrets", "cli_token").read_text().strip()
    method, body = ("POST", CALL) if path.startswith("/mcp") else ("GET", b"")
    reply = raw(stack, method, f"{path}?{name}={token}", [("Content-Type", "application/json")], body)
    assert reply.status in (401, 302)
    assert token.encode() not in reply.everything() or path == "/ui"


@pytest.mark.parametrize("path", ["/api/servers", "/mcp/registry"])
def test_two_authorization_headers_are_refused(stack: Stack, path: str) -> None:
    token = stack.file("secrets", "cli_token").read_text().strip()
    good, bad = ("Authorization", f"Bearer {token}"), ("Authorization", "Bearer other")
    method, body = ("POST", CALL) if path.startswith("/mcp") else ("GET", b"")
    for pair in ([good, bad], [bad, good], [good, good]):
        reply = raw(stack, method, path, [*pair, ("Content-Type", "application/json")], body)
        assert reply.status in (400, 401)
        assert b'"result"' not in reply.body
