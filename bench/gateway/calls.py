"""The tool calls that are sent: whole HTTP/1.1 requests, made once, for wrk to repeat in turn."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TOOL = "echo"
PARAGRAPH = (
    '## Notes of the meeting\n\nThe team moved the "ledger" export to next week; Zoë checks C:\\exports '
    "before that.\n- owners: finance, platform\n- risk: the nightly job reads the same table\n\n"
)
RECORD = {
    "id": 4711,
    "title": "Quarterly balance",
    "open": True,
    "amount": 1299.95,
    "tags": ["finance", "q3"],
}


class Era(StrEnum):
    """How a client speaks: with the handshake's versions, or stateless with its mirrored headers."""

    LEGACY = "legacy"
    MODERN = "modern"


class Content(StrEnum):
    """What a call's arguments are; what a body costs to check depends on that more than on its size."""

    SMALL = "300 B"
    LINE = "20 KB in one line"
    TEXT = "20 KB of text"
    RECORDS = "20 KB of records"


SIZES = {content: 300 if content is Content.SMALL else 20 * 1024 for content in Content}
VERSIONS = {Era.LEGACY: "2025-11-25", Era.MODERN: "2026-07-28"}


@dataclass(frozen=True)
class Credential:
    """One caller at one server."""

    slug: str
    token: str


def body(era: Era, content: Content) -> bytes:
    """A `tools/call` of exactly that size."""
    size = SIZES[content]
    arguments: dict[str, Any] = {"text": ""}
    params: dict[str, Any] = {"name": TOOL, "arguments": arguments}
    if era is Era.MODERN:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": VERSIONS[era],
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    if content is Content.RECORDS:
        arguments["records"] = []
        while len(_written(message)) + len(_written(RECORD)) < size:
            arguments["records"].append(RECORD)
    while content is Content.TEXT and len(_written(message)) + 2 * len(PARAGRAPH) < size:
        arguments["text"] += PARAGRAPH
    arguments["text"] += ("balance of march " * size)[: size - len(_written(message))]
    text = _written(message)
    assert len(text) == size, f"{len(text)} bytes, not {size}"
    return text


def _written(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def request(url: str, era: Era, content: bytes, token: str) -> bytes:
    """The request as an SDK's client sends it, with the credential as a bearer token."""
    parts = urlsplit(url)
    headers = {
        "Host": parts.netloc,
        "Accept": "application/json, text/event-stream",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": "bench/1.0",
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "MCP-Protocol-Version": VERSIONS[era],
        "Authorization": f"Bearer {token}",
    }
    if era is Era.MODERN:
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": TOOL}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {parts.path} HTTP/1.1\r\n{head}\r\n".encode() + content


def write(file: Path, requests: Iterable[bytes]) -> Path:
    """A file as wrk.lua reads it."""
    file.write_bytes(b"\0".join(requests))
    return file
