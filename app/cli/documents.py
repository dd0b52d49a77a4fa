"""Documents to send: read from a file or standard input, or made from a few words."""

import ipaddress
import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.cli.output import CliError

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
GENERIC = frozenset({"mcp", "api", "www", "server", "sse"})


def read_text(source: str) -> str:
    """The text of a file, or of standard input for `-`. Raises CliError."""
    if source == "-":
        return sys.stdin.read()
    try:
        return Path(source).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{source} cannot be read: {getattr(error, 'strerror', error)}") from error


def read_document(source: str) -> dict[str, Any]:
    """A JSON object from a file or, for `-`, from standard input. Raises CliError."""
    try:
        document = json.loads(read_text(source))
    except ValueError as error:
        raise CliError(f"{source} is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise CliError(f"{source} holds no JSON object")
    return document


def server_document(url: str, name: str | None, transport: str = "streamable-http") -> dict[str, Any]:
    """A server.json for an HTTP endpoint; its name comes from the host where none is given."""
    host = urlsplit(url).hostname or ""
    return {
        "$schema": SCHEMA,
        "name": _full_name(host, _port(url), name),
        "description": f"MCP server at {host}"[:100],
        "version": "1.0.0",
        "remotes": [{"type": transport, "url": url}],
    }


def _full_name(host: str, port: int | None, name: str | None) -> str:
    if name and "/" in name:
        return name
    labels = [label for label in re.sub(r"[^a-z0-9.]+", "-", host.lower()).split(".") if label.strip("-")]
    space = ".".join(reversed(labels)) if not _is_address(host) else "local"
    return f"{space or 'local'}/{name or _short_name(host, port, labels)}"


def _short_name(host: str, port: int | None, labels: list[str]) -> str:
    """`context7` of mcp.context7.com, `localhost-3001` of localhost with a port."""
    telling = [label for label in labels[:-1] if label not in GENERIC]
    if telling and not _is_address(host):
        return telling[-1]
    plain = "-".join(labels).strip("-") or "server"
    return f"{plain}-{port}" if port else plain


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError as error:
        raise CliError(f"{url!r} is not a URL: {error}") from error
