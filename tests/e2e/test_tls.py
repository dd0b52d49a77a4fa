import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.cli.nginx import find
from tests.e2e.bypass import http1
from tests.e2e.bypass.certificates import Authority
from tests.e2e.bypass.gate import JSON, call
from tests.e2e.bypass.reply import Reply
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
FIRST, SECOND = "localhost", "127.1"
"""Two names of one address that every machine knows: the second is an old way to write 127.0.0.1."""


def context_of(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@dataclass
class TwoFaced:
    """One address with a certificate for each name, which remembers for what name it was asked."""

    authority: Authority
    asked: list[str | None] = field(default_factory=list)

    def start(self, *names: str) -> Recorder:
        contexts = {name: context_of(self.authority.issue(name)) for name in names}

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            self.asked.append(name)
            connection.context = contexts.get(name or "", contexts[names[0]])

        listening = context_of(self.authority.issue(names[0]))
        listening.sni_callback = choose
        return Recorder(listening)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="module")
def gatepost(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost that trusts this authority for its upstreams."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(tmp_path_factory.mktemp("private-ca"), GATEPOST_UPSTREAM_CA_FILE=str(authority.file))
    yield here
    here.stop()


@dataclass
class Attached:
    """A server behind the gateway, by one of its names."""

    stack: Stack
    slug: str
    token: str

    @classmethod
    def at(cls, stack: Stack, slug: str, upstream: Recorder, name: str) -> "Attached":
        stack.register(slug, f"https://{name}:{upstream.port}/mcp", bearer=f"secret-of-{slug}")
        stack.api("POST", f"/api/servers/{slug}/refresh", expect=200)
        stack.scope(slug, slug)
        return cls(stack, slug, stack.token(slug))

    def call(self) -> Reply:
        headers = [JSON, ("Authorization", f"Bearer {self.token}")]
        return http1.request(self.stack.url, "POST", f"/mcp/{self.slug}", headers, call())

    def listen(self) -> Reply:
        """A GET, whose answer the gateway reads by connections of its own."""
        return http1.request(
            self.stack.url, "GET", f"/mcp/{self.slug}", [("Authorization", f"Bearer {self.token}")], b""
        )


def test_two_names_of_one_address_never_share_a_connection(gatepost: Stack, authority: Authority) -> None:
    both = TwoFaced(authority)
    upstream = both.start(FIRST, SECOND)
    try:
        first = Attached.at(gatepost, "one", upstream, FIRST)
        second = Attached.at(gatepost, "two", upstream, SECOND)
        both.asked.clear()
        upstream.received.clear()
        for _ in range(10):
            assert first.call().passed
            assert second.call().passed
        assert sorted(map(str, both.asked)) == sorted([FIRST, SECOND])
        hosts = [received.header("Host") for received in upstream.received]
        assert hosts == [[f"{FIRST}:{upstream.port}"], [f"{SECOND}:{upstream.port}"]] * 10
    finally:
        upstream.stop()


def test_a_connection_opened_for_a_trusted_name_serves_no_other(
    gatepost: Stack, authority: Authority
) -> None:
    only = TwoFaced(authority)
    upstream = only.start(FIRST)
    try:
        trusted = Attached.at(gatepost, "trusted", upstream, FIRST)
        assert trusted.call().passed
        wrong = Attached.at(gatepost, "wrong-name", upstream, SECOND)
        assert trusted.call().passed
        upstream.received.clear()
        assert wrong.call().rule == "unreachable"
        assert wrong.listen().rule == "unreachable"
        assert upstream.received == []
        assert trusted.listen().status == 200
        assert trusted.call().passed
    finally:
        upstream.stop()


def test_an_upstream_that_nobody_vouches_for_hears_nothing(gatepost: Stack, tmp_path: Path) -> None:
    upstream = Recorder(context_of(Authority.make(tmp_path, "another CA").issue(FIRST)))
    try:
        attached = Attached.at(gatepost, "untrusted", upstream, FIRST)
        assert attached.call().rule == "unreachable"
        assert attached.listen().rule == "unreachable"
        assert upstream.received == []
    finally:
        upstream.stop()


def test_an_expired_certificate_is_refused(gatepost: Stack, authority: Authority) -> None:
    upstream = Recorder(context_of(authority.issue(FIRST, expired=True)))
    try:
        attached = Attached.at(gatepost, "expired", upstream, FIRST)
        assert attached.call().rule == attached.listen().rule == "unreachable"
        assert upstream.received == []
    finally:
        upstream.stop()
