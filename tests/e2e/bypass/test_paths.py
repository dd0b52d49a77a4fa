from urllib.parse import urlsplit

import pytest

from tests.e2e.bypass.gate import JSON, PATH, SLUG, Gate, call

pytestmark = pytest.mark.e2e
CALL = call()
TRICKS = [
    *(f"/{path}{SLUG}" for path in ("mcp/x/../", "mcp/./", "x/../mcp/", "mcp/registry/../", "api/../mcp/")),
    *(
        f"/{path}{SLUG}"
        for path in ("mcp/%2e%2e/mcp/", "mcp/%2e/", "mcp/x/%2e%2e/", "mcp/x%2f..%2f", "mcp%2f")
    ),
    *(
        f"/{path}{SLUG}"
        for path in ("mcp/%2f", "/mcp/", "mcp//", "//mcp//", "MCP/", "Mcp/", "%6dcp/", "mcp;x/")
    ),
    *(
        f"/{path}{SLUG}"
        for path in ("mcp\\", "mcp/..\\mcp\\", "mcp/%5c", "mcp/-", "mcp/\u00ff", "x/%2e%2e/mcp/")
    ),
    *(
        f"/mcp/{SLUG}{end}"
        for end in ("/", "//", "/.", "/x", "%2f", ".", "%20", "%00", "%0a", "%3fx", ";x=1")
    ),
    *(f"/mcp/{SLUG}{end}" for end in ("@1.0.0", "%25", "%c0%af", f"/../{SLUG}", f"/%2e%2e/{SLUG}", "\u00e9")),
    f"/mcp/%72{SLUG[1:]}",
    f"/mcp/{SLUG.title()}",
    f"/mcp/{'a' * 64}",
    "/mcp/",
]
NO_PATHS = [
    f"mcp/{SLUG}",
    f"%2fmcp/{SLUG}",
    "*",
    "",
    f"/mcp/{SLUG} x",
    "/../mcp/x",
]
INNER = [
    "/internal/verdict?resource=/api",
    "/internal/epoch",
    "/.well-known/../internal/epoch",
    "/.well-known/..%2finternal/epoch",
    "/@upstream_failed",
    "/gatepost-bad-request",
    "/nginx.conf",
]
API_TRICKS = [
    "/api/../api/servers",
    "/api//servers",
    "/api/%2e/servers",
    "/api/x%2f..%2fservers",
    "/api/servers/../version",
    "/api/version/../servers",
    "/api/version%2f..%2fservers",
    "/ui/../api/servers",
    "/.well-known/../api/servers",
]
METHODS = ["PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post"]
HOSTS = ["evil.example", "127.0.0.1:1", "", "localhost", "a b", "x/../y", "registry"]


@pytest.mark.parametrize("path", TRICKS, ids=ascii)
def test_a_path_that_is_not_in_its_plain_form_reaches_nobody(gate: Gate, path: str) -> None:
    reply = gate.send(CALL, path=path)
    assert reply.status in {400, 404}
    assert gate.received == []


@pytest.mark.parametrize("path", NO_PATHS, ids=ascii)
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


@pytest.mark.parametrize("path", [f"/mcp/{SLUG} ", f" /mcp/{SLUG}"])
def test_spaces_around_the_path_are_no_part_of_it(gate: Gate, path: str) -> None:
    gate.send(CALL, path=path)
    assert [received.target for received in gate.received] in ([], ["/mcp"])


@pytest.mark.parametrize("query", ["?x=1", "?", "?/../mcp/other", "?a=%2f..%2f"])
def test_the_query_is_the_servers_own_and_the_clients_goes_nowhere(gate: Gate, query: str) -> None:
    gate.passes(CALL, path=PATH + query)
    (received,) = gate.received
    assert received.target == "/mcp"


@pytest.mark.parametrize("method", METHODS)
def test_another_method_reaches_nobody(gate: Gate, method: str) -> None:
    assert gate.send(CALL, method=method).status in {0, 400, 405}
    assert gate.received == []


@pytest.mark.parametrize("host", HOSTS)
def test_whatever_host_the_client_names_the_upstream_sees_its_own(gate: Gate, host: str) -> None:
    gate.send(CALL, ("X-Forwarded-Host", host), ("X-Host", host))
    if gate.protocol == "http1":
        gate.request(gate.stack.url, "POST", f"http://{host}{PATH}", [JSON, bearer(gate)], CALL)
    for received in gate.received:
        assert received.header("Host") == [urlsplit(gate.recorder.url).netloc]
        assert received.target == "/mcp"


@pytest.mark.parametrize("path", ["/", "/mcp", "/api", "/ui"])
def test_no_redirect_leads_to_the_host_that_the_client_named(gate: Gate, path: str) -> None:
    reply = gate.request(gate.stack.url, "GET", path, [("X-Forwarded-Host", "evil.example")], b"")
    for location in reply.header("Location"):
        assert location.startswith((gate.stack.url + "/", "/"))


def bearer(gate: Gate) -> tuple[str, str]:
    return "Authorization", f"Bearer {gate.token}"


@pytest.mark.parametrize("path", ["/mcp", "/a2a", "/api"])
def test_an_address_that_is_not_whole_sends_nobody_on(gate: Gate, path: str) -> None:
    reply = gate.request(gate.stack.url, "POST", path, [JSON, bearer(gate)], CALL)
    assert (reply.status, reply.header("Location")) == (404, [])
    assert b"/mcp/<slug>" in reply.body
