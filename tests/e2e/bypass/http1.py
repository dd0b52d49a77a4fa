"""HTTP/1.1 by raw bytes, so that a test says exactly what is on the wire."""

import io
import socket
from collections.abc import Iterable, Iterator
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from tests.e2e.bypass.reply import RESET, Reply

SILENCE_S = 1.0
"""How long a kept connection is listened to after its last byte."""
Headers = Iterable[tuple[str, str]]


def head(method: str, target: str, headers: Headers) -> bytes:
    """A request's head: each header as it is given, and no other."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chunked(body: bytes, size: int = 65_536) -> bytes:
    """The body in chunks (RFC 9112, 7.1)."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def exchange(url: str, sent: bytes) -> list[Reply]:
    """Every answer to these bytes, until the gateway closes the connection or falls silent."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname or "", where.port or 80), timeout=20) as connection:
        received = bytearray()
        try:
            connection.sendall(sent)
            connection.settimeout(SILENCE_S)
            while data := connection.recv(65_536):
                received += data
        except (TimeoutError, ConnectionError):
            pass
    return list(_replies(bytes(received)))


class _Kept(io.BytesIO):
    """Stays open after the first answer was read from it."""

    def makefile(self, *_: object) -> "_Kept":
        return self

    def close(self) -> None:
        pass


def _replies(received: bytes) -> Iterator[Reply]:
    stream = _Kept(received)
    while stream.tell() < len(received):
        response = HTTPResponse(stream)  # type: ignore[arg-type]
        try:
            response.begin()
            body = response.read()
        except HTTPException:
            yield Reply(RESET, [], received)
            return
        yield Reply(response.status, response.getheaders(), body)


def request(
    url: str, method: str, target: str, headers: Headers, body: bytes, *, length: bool = True
) -> Reply:
    """One request on a connection of its own; without `length` its body is chunked."""
    framing = ("Content-Length", str(len(body))) if length else ("Transfer-Encoding", "chunked")
    framed = [("Host", urlsplit(url).netloc), *headers, framing, ("Connection", "close")]
    replies = exchange(url, head(method, target, framed) + (body if length else chunked(body)))
    return replies[0] if replies else Reply(RESET, [], b"")
