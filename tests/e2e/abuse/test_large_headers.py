"""Cookies and headers of any size and number: taken, or refused in words, and nothing falls over."""

import pytest

from tests.e2e.abuse.logins import password
from tests.e2e.abuse.raw import FORM, raw
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
PATHS = ["/login", "/ui", "/api/servers", "/mcp/registry", "/oauth/authorize", "/callback/corp"]
K = 1024


@pytest.mark.parametrize("path", PATHS)
def test_a_cookie_that_is_too_large_is_refused_in_words(stack: Stack, path: str) -> None:
    reply = raw(stack, "GET", path, [("Cookie", "gatepost_session=" + "x" * 40 * K)])
    assert reply.status == 431
    assert b"delete this site's cookies" in reply.body


@pytest.mark.parametrize("path", PATHS)
def test_headers_that_are_too_large_together_are_refused(stack: Stack, path: str) -> None:
    headers = [(f"X-Large-{number}", "x" * 30 * K) for number in range(8)]
    assert raw(stack, "GET", path, headers).status == 431


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [8 * K, 31 * K])
def test_a_large_cookie_that_is_taken_breaks_nothing(stack: Stack, path: str, size: int) -> None:
    for cookie in ("gatepost_session=" + "x" * size, "other=" + "x" * size):
        assert raw(stack, "GET", path, [("Cookie", cookie)]).status in (
            200,
            302,
            303,
            400,
            401,
            403,
            404,
            405,
        )


def test_as_much_as_the_gateway_takes_reaches_auth(stack: Stack) -> None:
    headers = [(f"X-Large-{number}", "x" * 30 * K) for number in range(3)]
    assert raw(stack, "GET", "/login", headers).status == 200


def test_a_thousand_cookies_hide_no_session_and_break_nothing(stack: Stack) -> None:
    many = "; ".join(f"c{number}=v" for number in range(1000))
    form = f"username=admin&password={password(stack)}".encode()
    reply = raw(stack, "POST", "/login", [("Origin", stack.url), FORM, ("Cookie", many)], form)
    assert reply.status == 303
    session = next(value for value in reply.header("Set-Cookie") if value.startswith("gatepost_session="))
    cookies = f"{many}; {session.partition(';')[0]}"
    assert raw(stack, "GET", "/ui", [("Cookie", cookies)]).status == 200


def test_what_is_no_cookie_breaks_nothing(stack: Stack) -> None:
    for text in ("gatepost_session", "=;=;=", "gatepost_session=; ;;", "\xff\xfe=\x80", '"a=b', "a=b,c=d"):
        assert raw(stack, "GET", "/ui", [("Cookie", text)]).status in (302, 400)
        assert raw(stack, "GET", "/login", [("Cookie", text)]).status in (200, 400)


def test_too_many_headers_are_refused_where_headers_decide(stack: Stack) -> None:
    headers = [(f"X-{number}", "v") for number in range(200)]
    for path in ("/api/servers", "/mcp/registry", "/oauth/token"):
        assert raw(stack, "GET", path, headers).status == 431


def test_a_request_line_that_is_too_long_is_refused(stack: Stack) -> None:
    assert raw(stack, "GET", "/login?next=/" + "x" * 40 * K, []).status == 414


@pytest.mark.parametrize("size", [8 * K, 20 * K])
def test_a_long_query_passes(stack: Stack, size: int) -> None:
    assert raw(stack, "GET", "/login?next=/" + "x" * size, []).status == 200
    assert raw(stack, "GET", "/ui?" + "x" * size, []).status == 302
