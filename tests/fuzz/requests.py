"""Whole HTTP/1.1 requests to try: a message, and what else a client may send with it."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.e2e.bypass.gate import ACCEPT, JSON, LEGACY, MODERN, PATH, Header
from tests.e2e.bypass.http1 import chunked, head
from tests.fuzz.messages import BODIES

LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12)
NAMES = st.sampled_from(
    ["allowed", "forbidden", "Allowed", "=?base64?YWxsb3dlZA==?=", "=?base64?!?=", "res://allowed"]
)
HEADERS = st.one_of(
    st.sampled_from([LEGACY, MODERN]),
    st.tuples(st.just("MCP-Protocol-Version"), st.sampled_from(["2024-11-05", "2099-01-01", ""]) | LATIN),
    st.tuples(st.just("Mcp-Method"), st.sampled_from(["tools/call", "tools/list", "TOOLS/CALL"]) | LATIN),
    st.tuples(st.just("Mcp-Name"), NAMES | LATIN),
    st.tuples(st.just("Mcp-Param-Region"), LATIN),
    st.tuples(st.just("Last-Event-ID"), LATIN),
    st.tuples(
        st.just("Content-Type"), st.sampled_from(["text/plain", "application/json; charset=utf-16"]) | LATIN
    ),
    st.tuples(st.just("Content-Encoding"), st.sampled_from(["gzip", "identity", "br"]) | LATIN),
    st.tuples(st.just("Accept"), st.sampled_from(["*/*", "text/html", ""]) | LATIN),
    st.tuples(st.just("Cookie"), LATIN.map("gatepost_session=".__add__)),
    st.tuples(st.just("Origin"), st.sampled_from(["https://elsewhere.example", "null"]) | LATIN),
    st.tuples(st.just("traceparent"), st.just("00-" + "a" * 32 + "-" + "b" * 16 + "-01") | LATIN),
    st.tuples(st.sampled_from(["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Original-Url"]), LATIN),
    st.tuples(st.sampled_from(["Gatepost-Identity", "Gatepost-Session", "gatepost_identity"]), LATIN),
    st.tuples(st.sampled_from(["Expect", "Upgrade", "TE", "Range", "If-Match", "Connection", "Host"]), LATIN),
    st.tuples(st.from_regex(r"[A-Za-z][A-Za-z0-9_.!-]{0,20}", fullmatch=True), LATIN),
)
PATHS = st.one_of(
    st.sampled_from(
        [
            "/mcp/hidden",
            "/mcp/recorded/",
            "/mcp//recorded",
            "/mcp/x/../recorded",
            "/mcp/%72ecorded",
            "/mcp/recorded%2f..%2fhidden",
            "/mcp/recorded;x",
            "/MCP/recorded",
            "/mcp/",
            "/mcp/recorded?x=1#y",
            "/mcp/recorded?sessionId=x",
            "/mcp/recorded?session_id=%00",
            "/mcp/nowhere",
            "/a2a/recorded",
            "/api/servers",
            "/api/search?q=%00",
            "/ui",
            "/v0.1/servers",
            "/.well-known/oauth-protected-resource/mcp/recorded",
        ]
    ),
    st.from_regex(r"/(mcp|api|ui|login|\.well-known)/[!-~]{0,20}", fullmatch=True),
    st.from_regex(r"/mcp/recorded\?[!-~]{0,20}", fullmatch=True),
)
METHODS = st.sampled_from(["GET", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "post", "FOO"])


@dataclass(frozen=True)
class Request:
    """`data` is what goes over the wire; `framed` where its end is plain, so that an answer must come."""

    method: str
    data: bytes
    framed: bool = True


@st.composite
def requests(draw: st.DrawFn, host: str, token: str, session: str) -> Request:
    """Mostly a POST of a body by a caller who may call; now and then each other part is bent."""
    rarely = st.integers(0, 15).map(lambda number: number == 0)
    body = draw(BODIES)
    method = draw(METHODS) if draw(rarely) else "POST"
    path = draw(PATHS) if draw(rarely) else PATH
    credential = (
        draw(st.sampled_from([f"Bearer {token}x", f"bearer {token}", "Basic eDp4", ""]))
        if draw(rarely)
        else ""
    )
    headers: list[Header] = [("Host", host), ACCEPT, ("Authorization", credential or f"Bearer {token}"), JSON]
    if draw(rarely) or draw(rarely):
        headers.append(("Mcp-Session-Id", draw(sessions(session))))
    if draw(st.integers(0, 3)) == 3:
        headers += draw(st.lists(HEADERS, max_size=3))
    if method != "POST" and draw(st.booleans()):
        body = b""
    framing = draw(st.integers(0, 40))
    if framing == 0:
        return Request(
            method, head(method, path, [*headers, ("Transfer-Encoding", "chunked")]) + chunked(body, 37)
        )
    if framing == 1:
        odd = draw(st.sampled_from(["chunked, identity", "gzip", "Chunked", "xchunked", "chunked\tx"]))
        return Request(
            method, head(method, path, [*headers, ("Transfer-Encoding", odd)]) + body, framed=False
        )
    if framing == 2:
        size = draw(
            st.integers(0, 2 * len(body)).map(str)
            | st.sampled_from(["-1", "+5", "0x10", "1e1", "99999999999"])
        )
        return Request(method, head(method, path, [*headers, ("Content-Length", size)]) + body, framed=False)
    if framing == 3:
        both = [("Content-Length", str(len(body))), ("Transfer-Encoding", "chunked")]
        return Request(method, head(method, path, [*headers, *both]) + chunked(body), framed=False)
    return Request(method, head(method, path, [*headers, ("Content-Length", str(len(body)))]) + body)


@st.composite
def sessions(draw: st.DrawFn, session: str) -> str:
    """An id that the gateway gave, whole or bent, or any other text."""
    place = draw(st.integers(0, len(session) - 1))
    bent = session[:place] + draw(st.sampled_from(["A", "-", "="])) + session[place + 1 :]
    return draw(st.sampled_from([session, session[:place], session * 2, bent, bent]) | LATIN)
