from urllib.parse import urlsplit

import pytest

from tests.e2e.bypass.gate import JSON, PATH, SLUG, Gate, call

pytestmark = pytest.mark.e2e
CALL = call()
TRICKS = [
    f"/mcp/x/../{SLUG}", f"/mcp/./{SLUG}", f"/mcp/{SLUG}/.", f"/mcp/{SLUG}/../{SLUG}", f"/x/../mcp/{SLUG}",
    f"/mcp/registry/../{SLUG}", f"/api/../mcp/{SLUG}", f"/mcp/%2e%2e/mcp/{SLUG}", f"/mcp/%2e/{SLUG}",
    f"/mcp/x/%2e%2e/{SLUG}", f"/mcp/x%2f..%2f{SLUG}", f"/mcp%2f{SLUG}", f"%2fmcp/{SLUG}", f"/mcp/%2f{SLUG}",
    f"/mcp/{SLUG}%2f", f"//mcp/{SLUG}", f"/mcp//{SLUG}", f"/mcp/{SLUG}//", f"/mcp/{SLUG}/", f"///{SLUG}",
    f"/mcp/{SLUG}/x", f"/mcp/%72{SLUG[1:]}", f"/mcp/{SLUG.title()}", f"/MCP/{SLUG}", f"/Mcp/{SLUG}",
    f"/mcp/{SLUG}.", f"/mcp/{SLUG}%20", f"/mcp/{SLUG}%00", f"/mcp/{SLUG}%0a", f"/mcp/{SLUG}%3fx",
    f"/mcp/{SLUG};x=1", f"/mcp;x/{SLUG}", f"/mcp\\{SLUG}", f"/mcp/..\\mcp\\{SLUG}", f"/mcp/%5c{SLUG}",
    f"/mcp/{SLUG}@1.0.0", f"/mcp/{SLUG}%25", f"/mcp/-{SLUG}", f"/mcp/{'a' * 64}", "/mcp/", "/mcp",
    f"/mcp/\u00ff{SLUG}", f"/mcp/{SLUG}%c0%af", f"/%6dcp/{SLUG}", f"/mcp/{SLUG}#x", f"/mcp/{SLUG}/%2e%2e/{SLUG}",
]  # fmt: skip
MALFORMED = [
    f"mcp/{SLUG}",
    "*",
    "",
    f"/mcp/{SLUG} x",
    f"/mcp/{SLUG} ",
    f" /mcp/{SLUG}",
    f"/mcp/{SLUG}\t",
    "/../mcp/x",
]
INNER = [
    "/internal/verdict?resource=/api", "/internal/epoch", "/.well-known/../internal/epoch",
    "/.well-known/..%2finternal/epoch", "/@upstream_failed", "/@too_large", "/nginx.conf", "/metrics",
]  # fmt: skip
API_TRICKS = ["/api/../api/servers", "/api//servers", "/api/%2e/servers", "/api/x%2f..%2fservers", "/api/x/../version",
    "/api/version/../servers", "/api/version%2f..%2fservers", "/ui/../api/servers", "/.well-known/../api/servers"]  # fmt: skip


@pytest.mark.parametrize("path", TRICKS, ids=ascii)
def test_a_path_that_is_not_in_its_plain_form_reaches_nobody(gate: Gate, path: str) -> None:
    reply = gate.send(CALL, path=path)
    assert reply.status in {400, 404}
    assert gate.received == []


@pytest.mark.parametrize("path", MALFORMED, ids=ascii)
def test_a_target_that_is_no_path_reaches_nobody(gate: Gate, path: str) -> None:
    reply = gate.send(CALL, path=path)
    assert reply.status in {0, 400, 404}
    assert gate.received == []


@pytest.mark.parametrize("path", INNER)
def test_what_is_internal_is_not_to_be_had(gate: Gate, path: str) -> None:
    assert gate.send(b"", method="GET", path=path, kind=None).status in {400, 404}


@pytest.mark.parametrize("path", API_TRICKS)
def test_no_path_reaches_the_registry_without_a_caller(gate: Gate, path: str) -> None:
    for token in ("", gate.token):
        reply = gate.send(b"", method="GET", path=path, kind=None, token=token)
        assert reply.status in {400, 401, 404}


@pytest.mark.parametrize("query", ["?x=1", "?", "?/../mcp/other", "?a=%2f..%2f"])
def test_the_query_is_the_servers_own_and_the_clients_goes_nowhere(gate: Gate, query: str) -> None:
    gate.passes(CALL, path=PATH + query)
    (received,) = gate.received
    assert received.target == "/mcp"


@pytest.mark.parametrize(
    "method", ["PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post"]
)
def test_another_method_reaches_nobody(gate: Gate, method: str) -> None:
    assert gate.send(CALL, method=method).status in {0, 400, 405}
    assert gate.received == []


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:1", "", "localhost", "a b", "x/../y", "registry"]
)
def test_whatever_host_the_client_names_the_upstream_sees_its_own(gate: Gate, host: str) -> None:
    gate.send(CALL, ("X-Forwarded-Host", host), ("X-Host", host))
    if gate.protocol == "http1":
        gate.request(gate.stack.url, "POST", f"http://{host}{PATH}", [JSON, bearer(gate)], CALL)
    for received in gate.received:
        assert received.header("Host") == [urlsplit(gate.recorder.url).netloc]
        assert received.target == "/mcp"


def bearer(gate: Gate) -> tuple[str, str]:
    return "Authorization", f"Bearer {gate.token}"
