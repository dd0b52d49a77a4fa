"""Pages of other origins, and other names for the gateway's address, reach nothing."""

import httpx2
import pytest

from tests.e2e.bypass.gate import JSON, PATH, Gate, call

pytestmark = pytest.mark.e2e
CALL = call()
FOREIGN = [
    "https://evil.example",
    "null",
    "http://127.0.0.1:1",
    "http://127.0.0.1",
    "http://localhost.evil.example:{port}",
    "http://127.0.0.1.evil.example:{port}",
    "http://evil.example#@127.0.0.1:{port}",
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}.evil.example",
    "file://",
    "",
]
OWN = [
    "http://127.0.0.1:{port}",
    "http://localhost:{port}",
    "http://[::1]:{port}",
    "http://tools.localhost:{port}",
]


def port_of(gate: Gate) -> str:
    return gate.stack.url.rpartition(":")[2]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_origin_is_refused_whatever_its_token(gate: Gate, origin: str) -> None:
    sent = ("Origin", origin.format(port=port_of(gate)))
    gate.refuses(CALL, sent, rule="origin", status=403)


@pytest.mark.parametrize("origin", OWN)
def test_a_page_of_the_gateway_may_call_by_any_of_its_loopback_names(gate: Gate, origin: str) -> None:
    gate.passes(CALL, ("Origin", origin.format(port=port_of(gate))))


def test_a_refused_page_cannot_read_the_answer(gate: Gate) -> None:
    reply = gate.send(CALL, ("Origin", "https://evil.example"))
    assert not [name for name, _ in reply.headers if name.lower().startswith("access-control-")]
    assert gate.send(b"", ("Origin", "https://evil.example"), method="OPTIONS").status == 403


def test_get_and_delete_are_held_to_the_same_rule(gate: Gate) -> None:
    for method in ("GET", "DELETE"):
        assert gate.send(b"", ("Origin", "https://evil.example"), method=method, kind=None).status == 403
    assert gate.received == []


def ask(gate: Gate, method: str, path: str, host: str) -> int:
    """The status of a request that calls the gateway by that name."""
    with httpx2.Client(http2=gate.protocol == "http2", verify=False, timeout=20) as client:
        headers = {"Host": host, "Authorization": f"Bearer {gate.token}", **dict([JSON])}
        return client.request(method, gate.stack.url + path, headers=headers, content=CALL).status_code


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.x"]
)
def test_a_name_that_was_bound_to_loopback_reaches_nothing(gate: Gate, host: str) -> None:
    named = host.format(port=port_of(gate))
    assert ask(gate, "POST", PATH, named) == 403
    for path in (
        "/api/servers",
        "/api/version",
        "/ui",
        "/login",
        "/.well-known/oauth-protected-resource/api",
    ):
        assert ask(gate, "GET", path, named) == 403, path
    assert gate.received == []


@pytest.mark.parametrize(
    "host", ["localhost:{port}", "LOCALHOST", "[::1]:{port}", "127.0.0.2", "127.0.0.1:1"]
)
def test_every_loopback_name_is_the_gateways_own(gate: Gate, host: str) -> None:
    assert ask(gate, "POST", PATH, host.format(port=port_of(gate))) == 200


def test_probes_ask_by_whatever_name_they_like(gate: Gate) -> None:
    assert ask(gate, "GET", "/healthz", "10.0.0.7:8080") == 200
    assert ask(gate, "GET", "/readyz", "10.0.0.7:8080") == 200
