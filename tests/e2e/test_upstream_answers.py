import gzip
import json

import pytest

from tests.e2e.bypass.gate import LEGACY, MODERN, Gate, call, message
from tests.e2e.bypass.reply import Reply
from tests.e2e.recorder import Answer
from tests.e2e.stack import free_port

pytestmark = pytest.mark.e2e
CALL = call()
RESULT = b'{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'
JSON = {"Content-Type": "application/json"}
NEVER = {
    "X-Accel-Redirect": "/healthz",
    "X-Accel-Limit-Rate": "1",
    "X-Accel-Expires": "3600",
    "X-Accel-Charset": "koi8-r",
    "Set-Cookie": "gatepost_session=stolen; Path=/",
    "Set-Cookie2": "a=b",
    "Location": "https://evil.example/",
    "Refresh": "0; url=https://evil.example/",
    "WWW-Authenticate": 'Bearer resource_metadata="https://evil.example/"',
    "Proxy-Authenticate": "Basic",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "*",
    "Clear-Site-Data": '"*"',
    "Strict-Transport-Security": "max-age=0",
    "Alt-Svc": 'h2="evil.example:443"',
    "Content-Security-Policy": "default-src *",
    "Service-Worker-Allowed": "/",
    "X-Powered-By": "Express",
    "Gatepost-Identity": "x",
}
INTERNAL = ["/healthz", "/mcp/registry", "@upstream_failed", "/gatepost-bad-request", "/api/servers", "/ui"]
PAGES = [
    "text/html",
    "text/html; charset=utf-8",
    "application/xhtml+xml",
    "text/plain",
    "image/svg+xml",
    "text/javascript",
]
LIST = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {"tools": [{"name": "allowed"}, {"name": "forbidden"}], "nextCursor": "n"},
    }
).encode()
NUMBERS = [b"9007199254740993", b"-9223372036854775809", b"1" * 400, b"1.10", b"1E400", b"-0"]


def answered(gate: Gate, status: int, headers: dict[str, str], body: bytes, asked: bytes = CALL) -> Reply:
    """What the client gets where the upstream answers like this."""
    gate.recorder.answer = Answer(status, headers, body)
    return gate.send(asked)


def failure(gate: Gate, reply: Reply, rule: str) -> None:
    """A JSON-RPC error that names the upstream and carries nothing of its answer."""
    assert (reply.status, reply.rule, reply.error["data"]["layer"]) == (200, rule, "upstream")
    assert json.loads(reply.body)["id"] == 7
    assert len(gate.received) == 1
    assert b"evil" not in reply.everything()
    modern = gate.send(CALL, MODERN)
    assert (modern.status, modern.rule) == (502, rule)


@pytest.mark.parametrize("name", NEVER)
@pytest.mark.parametrize("status", [200, 404])
def test_a_header_that_would_act_on_the_client_does_not_pass(gate: Gate, name: str, status: int) -> None:
    reply = answered(gate, status, {**JSON, name: NEVER[name], "X-Own": "stays"}, RESULT)
    assert (reply.status, reply.body, reply.header("X-Own")) == (status, RESULT, ["stays"])
    assert NEVER[name] not in reply.header(name)
    assert reply.header("X-Content-Type-Options") == ["nosniff"]


@pytest.mark.parametrize("place", INTERNAL)
def test_an_upstream_leads_nobody_to_an_internal_location(gate: Gate, place: str) -> None:
    reply = answered(gate, 200, {**JSON, "X-Accel-Redirect": place}, RESULT)
    assert (reply.status, reply.body) == (200, RESULT)


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_does_not_pass(gate: Gate, kind: str) -> None:
    failure(gate, answered(gate, 200, {"Content-Type": kind}, b"<script>evil()</script>"), "kind")


def test_an_answer_without_a_kind_does_not_pass(gate: Gate) -> None:
    failure(gate, answered(gate, 200, {}, b"<script>evil()</script>"), "kind")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_does_not_pass(gate: Gate, status: int) -> None:
    headers = {**JSON, "Location": "https://evil.example/mcp"}
    failure(gate, answered(gate, status, headers, b'{"to":"evil"}'), "redirect")


@pytest.mark.parametrize("status", [401, 403, 407])
def test_a_challenge_becomes_an_error_that_names_the_upstreams_credential(gate: Gate, status: int) -> None:
    headers = {**JSON, "WWW-Authenticate": NEVER["WWW-Authenticate"]}
    reply = answered(gate, status, headers, b'{"error":"evil"}')
    assert reply.header("WWW-Authenticate") == []
    assert "credential" in reply.error["message"]
    failure(gate, reply, "credential")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "GZIP", "identity, gzip"])
def test_an_encoded_list_does_not_pass_unread(gate: Gate, encoding: str) -> None:
    headers = {**JSON, "Content-Encoding": encoding}
    reply = answered(gate, 200, headers, gzip.compress(LIST), message("tools/list", {}))
    assert reply.rule == "encoded"
    assert gate.received[0].header("Accept-Encoding") == ["identity"]


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_list_holds_what_the_caller_may_use(gate: Gate, kind: str) -> None:
    body = LIST if kind == "application/json" else b"event: message\ndata: " + LIST + b"\n\n"
    reply = answered(gate, 200, {"Content-Type": kind}, body, message("tools/list", {}))
    assert b"forbidden" not in reply.body
    assert (b'"allowed"' in reply.body, b'"nextCursor": "n"' in reply.body) == (True, True)


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\n\r\n"])
def test_a_large_event_passes_whole(gate: Gate, end: bytes) -> None:
    result = b'{"jsonrpc":"2.0","id":7,"result":{"content":[],"image":"%b"}}' % (b"A" * 3_000_000)
    body = b": one" + end + b"data: " + result + end + b"data: {}" + end
    assert answered(gate, 200, {"Content-Type": "text/event-stream"}, body).body == body


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_list_that_cannot_be_read_is_an_error_of_the_same_request(gate: Gate, kind: str) -> None:
    result = b'{"jsonrpc":"2.0","id":7,"result":{"tools":[],"tools":[]}}'
    body = result if kind == "application/json" else b"data: " + result + b"\n\n"
    reply = answered(gate, 200, {"Content-Type": kind}, body, message("tools/list", {}))
    error = json.loads(reply.body.removeprefix(b"data: "))
    assert (error["id"], error["error"]["data"]["rule"]) == (7, "list")


@pytest.mark.parametrize(
    "event",
    [
        b"\xef\xbb\xbfdata: " + LIST + b"\n\n",
        b"data: " + LIST.replace(b'"result"', b'"r\\u0065sult"') + b"\n\n",
        b"data: " + LIST.replace(b'"tools"', b'"t\\u006fols"') + b"\n\n",
        b"data:" + LIST + b"\r\r",
        b'data: {"result":{}}\n\rdata: ' + LIST + b"\n\n",
        b'data: {"result":{}}\r\n\rdata: ' + LIST + b"\n\n",
        b'data: {"result":{}}\ndata: ' + LIST + b"\n\n",
    ],
    ids=[
        "byte order mark",
        "escaped result",
        "escaped tools",
        "carriage returns",
        "a line feed, then a carriage return",
        "both, then a carriage return",
        "behind a message",
    ],
)
def test_a_list_in_disguise_shows_nothing_forbidden(gate: Gate, event: bytes) -> None:
    reply = answered(gate, 200, {"Content-Type": "text/event-stream"}, event, message("tools/list", {}))
    assert reply.status == 200
    assert b"forbidden" not in reply.body


@pytest.mark.parametrize("status", [400, 404, 405, 406, 409, 410, 415, 422, 429])
@pytest.mark.parametrize("era", [LEGACY, MODERN], ids=["legacy", "modern"])
def test_other_errors_of_the_upstream_pass_byte_for_byte(
    gate: Gate, status: int, era: tuple[str, str]
) -> None:
    body = b'{"jsonrpc":"2.0","error":{"code":-32022,"message":"caf\xc3\xa9 ","data":{}} ,"id":null}\n'
    gate.recorder.answer = Answer(status, JSON, body)
    reply = gate.send(CALL, era)
    assert (reply.status, reply.body) == (status, body)


def test_an_error_page_of_the_upstream_passes_as_plain_text(gate: Gate) -> None:
    page = b"<html><script>evil()</script></html>"
    reply = answered(gate, 404, {"Content-Type": "text/html"}, page)
    assert (reply.status, reply.body, reply.header("Content-Type")) == (404, page, ["text/plain"])
    assert reply.header("X-Content-Type-Options") == ["nosniff"]


@pytest.mark.parametrize("number", NUMBERS, ids=bytes.decode)
def test_numbers_pass_unchanged_both_ways(gate: Gate, number: bytes) -> None:
    result = b'{"jsonrpc":"2.0","id":7,"result":{"content":[],"structuredContent":{"n":%b}}}' % number
    gate.recorder.answer = Answer(200, JSON, result)
    body = CALL.replace(b'"arguments":{}', b'"arguments":{"n":%b}' % number)
    assert gate.send(body).body == result
    assert gate.received[0].body == body


@pytest.mark.parametrize("status", [400, 404, 405])
def test_an_error_without_a_kind_passes_as_plain_text(gate: Gate, status: int) -> None:
    reply = answered(gate, status, {}, b"no such session")
    assert (reply.status, reply.body) == (status, b"no such session")
    assert reply.header("Content-Type") == ["text/plain"]
    assert reply.header("X-Content-Type-Options") == ["nosniff"]


def test_an_upstream_that_is_not_there_is_named(gate: Gate) -> None:
    gate.stack.register("gone", f"http://127.0.0.1:{free_port()}/mcp")
    gate.stack.scope("gone", "gone")
    reply = gate.send(CALL, path="/mcp/gone", token=gate.stack.token("gone"))
    assert (reply.error["data"]["layer"], reply.rule) == ("upstream", "unreachable")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_message_without_post_reaches_no_upstream(gate: Gate, method: str) -> None:
    gate.refuses(CALL, ("X-HTTP-Method-Override", "POST"), method=method)
    gate.refuses(CALL, method=method, length=False)
