"""Addresses in answers are those of the public URL, whatever host a request names."""

import json

import pytest

from tests.e2e.abuse.raw import raw
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
EVIL = "evil.example"
METADATA = "/.well-known/oauth-authorization-server"
PATHS = [
    "/login?next=/ui",
    "/ui",
    "/oauth/authorize?client_id=x",
    METADATA,
    "/.well-known/oauth-protected-resource/mcp/registry",
    "/.well-known/openid-configuration",
    "/api/servers",
    "/callback/corp",
]
FORWARDED = [
    ("X-Forwarded-Host", EVIL),
    ("X-Forwarded-Server", EVIL),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Port", "444"),
    ("X-Host", EVIL),
    ("X-Original-Host", EVIL),
    ("X-Original-URL", f"https://{EVIL}/login"),
    ("Forwarded", f"host={EVIL};proto=https"),
]


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_host_is_refused(stack: Stack, path: str) -> None:
    reply = raw(stack, "GET", path, [("Host", EVIL)])
    assert reply.status == 403
    assert EVIL.encode() not in reply.everything()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", FORWARDED, ids=[name for name, _ in FORWARDED])
def test_a_forwarded_host_changes_nothing(stack: Stack, path: str, header: tuple[str, str]) -> None:
    plain, named = raw(stack, "GET", path, []), raw(stack, "GET", path, [header])
    assert EVIL.encode() not in named.everything()
    assert (named.status, named.header("Location")) == (plain.status, plain.header("Location"))
    assert named.header("WWW-Authenticate") == plain.header("WWW-Authenticate")
    assert b"https://127.0.0.1" not in named.everything()


@pytest.mark.parametrize("path", PATHS)
def test_a_host_in_the_request_line_is_in_no_answer(stack: Stack, path: str) -> None:
    reply = raw(stack, "GET", f"http://{EVIL}{path}", [])
    assert reply.status < 500
    assert EVIL.encode() not in reply.everything()


@pytest.mark.parametrize("second", [EVIL, "127.0.0.1"])
def test_two_hosts_are_no_request(stack: Stack, second: str) -> None:
    hosts = [("Host", stack.url.removeprefix("http://")), ("Host", second)]
    assert raw(stack, "GET", "/login", hosts).status == 400


@pytest.mark.parametrize("host", ["", "127.0.0.1:1@evil.example", "127.0.0.1/evil.example", "evil.example#"])
def test_a_host_that_is_none_is_refused(stack: Stack, host: str) -> None:
    assert raw(stack, "GET", "/login", [("Host", host)]).status in (400, 403)


def test_the_metadata_names_the_public_address_under_another_of_its_names(stack: Stack) -> None:
    port = stack.url.rpartition(":")[2]
    reply = raw(stack, "GET", METADATA, [("Host", f"localhost:{port}")])
    assert reply.status == 200
    assert json.loads(reply.body)["issuer"] == stack.url
    assert b"localhost" not in reply.body
