"""Fixtures of the bypass suite, for every test under tests/e2e: its conftest imports them."""

from collections.abc import Iterator

import pytest

from app.cli.nginx import find
from tests.e2e.bypass import http1, http2
from tests.e2e.bypass.certificates import Authority
from tests.e2e.bypass.gate import LEGACY, MODERN, SLUG, UPSTREAM_SECRET, Gate, Header
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def tls_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost that speaks TLS and HTTP/2, and logs all that it can."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    folder = tmp_path_factory.mktemp("tls-stack")
    certificate, key = Authority.make(folder).issue("127.0.0.1")
    here = Stack.start(
        folder,
        GATEPOST_TLS_CERTIFICATE_FILE=str(certificate),
        GATEPOST_TLS_KEY_FILE=str(key),
        GATEPOST_LOG_LEVEL="debug",
    )
    yield here
    here.stop()


@pytest.fixture(scope="session", params=["http1", "http2"])
def open_gate(request: pytest.FixtureRequest, recorder: Recorder) -> Gate:
    """The recording upstream behind one stack, with a scope that reaches one name of each kind."""
    client = {"http1": http1, "http2": http2}[request.param]
    stack: Stack = request.getfixturevalue({"http1": "stack", "http2": "tls_stack"}[request.param])
    stack.register(SLUG, recorder.url, bearer=UPSTREAM_SECRET)
    stack.api("POST", f"/api/servers/{SLUG}/refresh", expect=200)
    stack.scope(SLUG, SLUG, tools=["allowed"], prompts=["allowed"], resources=["res://allowed"])
    return Gate(request.param, stack, stack.token(SLUG), recorder, client.request)


@pytest.fixture
def gate(open_gate: Gate, upstream: Recorder) -> Gate:
    """The gateway over HTTP/1.1 and over HTTP/2, in front of an upstream that has received nothing yet."""
    assert upstream is open_gate.recorder
    return open_gate


@pytest.fixture(params=[LEGACY, MODERN], ids=["legacy", "modern"])
def era(request: pytest.FixtureRequest) -> Header:
    """The header by which a client says which era it speaks."""
    header: Header = request.param
    return header
