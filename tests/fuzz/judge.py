"""Whether what reached the upstream was allowed, however an upstream may read it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.e2e.bypass.gate import SLUG, UPSTREAM_SECRET
from tests.e2e.bypass.test_generated import first, folded
from tests.e2e.recorder import Received

Pairs = list[tuple[str, Any]]
NEVER_SENT = ("cookie", "origin", "gatepost-identity", "gatepost-session", "x-original-url", "forwarded")
NAMED = {
    "tools/call": ("name", "allowed"),
    "prompts/get": ("name", "allowed"),
    "resources/read": ("uri", "res://allowed"),
    "resources/subscribe": ("uri", "res://allowed"),
    "resources/unsubscribe": ("uri", "res://allowed"),
}


def first_folded(pairs: Pairs) -> dict[str, Any]:
    """An object as a parser reads it that folds keys and keeps the first of two."""
    return folded(list(reversed(pairs)))


HOOKS: list[Callable[[Pairs], dict[str, Any]]] = [dict, first, folded, first_folded]


def texts(body: bytes) -> Iterator[str]:
    """The body as lenient decoders read it."""
    for encoding in ("utf-8-sig", "utf-8", "latin-1", json.detect_encoding(body)):
        yield body.decode(encoding, "replace")
        yield body.decode(encoding, "ignore")


def readings(body: bytes) -> Iterator[dict[str, Any]]:
    """Every message that lenient parsers find: either of two keys, folded ones, several texts, lines."""
    for text in set(texts(body)):
        for hook in HOOKS:
            decoder = json.JSONDecoder(object_pairs_hook=hook, strict=False)
            for part in {text, text.replace("\0", ""), *text.splitlines()}:
                yield from _documents(decoder, part.lstrip("\ufeff \t\r\n\x1e"))


def _documents(decoder: json.JSONDecoder, text: str) -> Iterator[dict[str, Any]]:
    while text:
        try:
            found, end = decoder.raw_decode(text)
        except (ValueError, RecursionError):
            return
        yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict))
        text = text[end:].lstrip(", \t\r\n\0\x1e")


def complaint(received: Received, token: str, session: str | None) -> str | None:
    """Why this must not have reached the upstream, or None. `session` is the one that it may carry."""
    if received.target.partition("?")[0] != f"/mcp/{SLUG}":
        return f"it went to {received.target}"
    if received.header("Authorization") != [f"Bearer {UPSTREAM_SECRET}"]:
        return "it does not carry the upstream's own credential"
    if any(token in value for _, value in received.headers):
        return "it carries the client's token"
    if carried := [name for name in NEVER_SENT if received.header(name)]:
        return f"it carries {carried}"
    if session and received.header("Mcp-Session-Id") not in ([], [session]):
        return "it carries a session that the upstream never gave"
    for message in readings(received.body):
        params = message.get("params")
        method = message.get("method")
        member, name = NAMED.get(str(method).lower(), ("", ""))
        if member and not (isinstance(params, dict) and params.get(member) == name):
            return f"a lenient parser reads {method} with {params}"
    return None
