import os
import signal
import socket
from collections.abc import Iterator

import httpx2
import pytest

from app.cli.nginx import find
from tests.e2e.bypass import http1
from tests.e2e.bypass.gate import ACCEPT, JSON, MODERN, call
from tests.e2e.bypass.reply import Reply
from tests.e2e.names import Names
from tests.e2e.raw_upstream import answer, behaving
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
FIRST, SECOND = "127.0.0.2", "127.0.0.1"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Names:
    return Names(tmp_path_factory.mktemp("names"))


@pytest.fixture(scope="module")
def gatepost(names: Names, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost that asks anew every second, and resolves names as these tests say."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(
        tmp_path_factory.mktemp("addresses"), PYTHONPATH=names.path, GATEPOST_VERDICT_TTL_S="1"
    )
    yield here
    here.stop()


class Attached:
    """A server behind the gateway, by a name."""

    def __init__(self, stack: Stack, slug: str, port: int) -> None:
        self.stack, self.slug = stack, slug
        stack.register(slug, f"http://{slug}.test:{port}/mcp")
        stack.scope(slug, slug)
        self.token = stack.token(slug)

    def call(self) -> Reply:
        headers = [ACCEPT, JSON, MODERN, ("Authorization", f"Bearer {self.token}")]
        return http1.request(self.stack.url, "POST", f"/mcp/{self.slug}", headers, call())


def close(_connection: socket.socket) -> None:
    """Take the call and break off."""


def test_where_one_address_takes_no_connection_the_next_is_tried(gatepost: Stack, names: Names) -> None:
    names.set({"half-dead.test": [FIRST, SECOND]})
    with behaving(answer, SECOND) as second:
        server = Attached(gatepost, "half-dead", second.port)
        assert server.call().passed
        assert second.calls == 1


def test_a_call_that_one_address_took_is_not_sent_to_the_next(gatepost: Stack, names: Names) -> None:
    names.set({"fickle.test": [FIRST, SECOND]})
    with behaving(answer, SECOND) as second, behaving(close, FIRST, second.port) as first:
        server = Attached(gatepost, "fickle", second.port)
        assert server.call().rule == "unreachable"
        assert (first.calls, second.calls) == (1, 0)


def test_a_name_that_moves_to_a_metadata_address_is_refused(gatepost: Stack, names: Names) -> None:
    names.set({"rebound.test": [SECOND]})
    with behaving(answer, SECOND) as upstream:
        server = Attached(gatepost, "rebound", upstream.port)
        assert server.call().passed
        names.set({"rebound.test": ["169.254.169.254"]})
        forget_addresses(gatepost)
        until(lambda: server.call().status == 502, what="a new verdict")
        reply = server.call()
        assert (reply.rule, reply.error["data"]["layer"]) == ("unresolved", "upstream")
        assert "never connects there" in reply.error["message"]
        health = gatepost.api("POST", "/api/servers/rebound/refresh", expect=200).json()
        assert "never connects there" in health["reason"]


def forget_addresses(stack: Stack) -> None:
    """Auth keeps what a name resolved to for 30 s; a new process knows nothing."""
    before = stack.pid("auth")
    os.kill(before, signal.SIGKILL)
    until(lambda: stack.pid("auth") != before, what="auth's restart")
    until(lambda: httpx2.get(f"{stack.url}/readyz").status_code == 200, what="readiness")
