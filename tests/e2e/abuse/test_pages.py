"""The pages that a browser is shown: where they lead, who may frame them, and that nobody keeps them."""

from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from tests.e2e.abuse.logins import log_in, session_of
from tests.e2e.abuse.raw import raw
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
AWAY = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\x00/evil.example",
    "https://evil.example",
    "https:evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "@evil.example",
    ".evil.example",
    "/%0d%0aSet-Cookie:x=y\r\nX-Evil: 1",
    "/\u2028/evil.example",
    "/／evil.example",
    "",
]
ENCODED = [
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/..//evil.example",
    "/.//evil.example",
]
HTML = [
    "/login",
    "/login?choose=true",
    "/login/none",
    "/ui",
    "/oauth/authorize?client_id=none",
    "/callback/none",
]


@pytest.mark.parametrize("after", AWAY)
def test_a_login_leads_to_no_other_site(stack: Stack, after: str) -> None:
    location = log_in(stack, next=after).headers["Location"]
    assert location == "/ui"


@pytest.mark.parametrize("after", ENCODED)
def test_an_encoded_way_out_stays_on_this_host(stack: Stack, after: str) -> None:
    location = log_in(stack, next=after).headers["Location"]
    assert urlsplit(urljoin(f"{stack.url}/login", location)).netloc == urlsplit(stack.url).netloc


@pytest.mark.parametrize("after", AWAY)
def test_the_login_page_keeps_no_way_to_another_site(stack: Stack, after: str) -> None:
    page = httpx2.get(f"{stack.url}/login", params={"next": after})
    assert (page.status_code, "evil" in page.text) == (200, False)


@pytest.mark.parametrize("target", ["/ui//evil.example", "/ui/%0d%0aX-Evil:1", "/ui/..%2f..//evil.example"])
def test_the_way_to_the_login_names_this_host_alone(stack: Stack, target: str) -> None:
    reply = raw(stack, "GET", target, [])
    assert reply.status in (302, 400, 404)
    assert all(location.startswith("/login?next=%2Fui") for location in reply.header("Location"))
    assert reply.header("X-Evil") == []


@pytest.mark.parametrize("path", HTML)
def test_no_page_may_be_framed_or_kept(stack: Stack, path: str) -> None:
    answer = httpx2.get(stack.url + path, headers=session_of(log_in(stack)))
    assert answer.status_code < 500
    if answer.headers["Content-Type"].startswith("text/html"):
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    else:
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert "no-store" in answer.headers["Cache-Control"]


def test_what_a_login_and_a_logout_answer_is_not_kept(stack: Stack) -> None:
    good, bad = log_in(stack), log_in(stack, username="nobody-to-keep")
    cookie = session_of(good)
    out = httpx2.post(f"{stack.url}/logout", headers={"Origin": stack.url, **cookie})
    foreign = httpx2.post(f"{stack.url}/logout", headers={"Origin": "https://evil.example", **cookie})
    assert [answer.status_code for answer in (good, bad, out, foreign)] == [303, 403, 303, 403]
    for answer in (good, bad, out):
        assert answer.headers["Cache-Control"] == "no-store"
