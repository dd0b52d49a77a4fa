"""HTTP/2 over TLS on the `h2` library, with its own checks off: what is refused, the gateway refuses."""

import socket
import ssl
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

from tests.e2e.bypass.reply import RESET, Reply

STREAM = 1
Headers = Iterable[tuple[str, str]]


class _Exchange:
    """One stream on a connection of its own."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._socket = connection
        self._h2 = H2Connection(
            H2Configuration(
                validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding="latin-1"
            )
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(16 * 1024 * 1024)
        self._status, self._headers, self._body = RESET, list[tuple[str, str]](), b""
        self._over = False

    def run(self, headers: list[tuple[str, str]], body: bytes) -> Reply:
        """Send the request and take what comes until the stream is over."""
        self._h2.send_headers(STREAM, headers, end_stream=not body)
        rest = memoryview(body)
        try:
            while not self._over:
                rest = self._send_some(rest)
                self._socket.sendall(self._h2.data_to_send())
                self._receive()
        except (ProtocolError, OSError):
            pass
        return Reply(self._status, self._headers, self._body)

    def _send_some(self, rest: memoryview) -> memoryview:
        while rest and (room := self._h2.local_flow_control_window(STREAM)):
            size = min(room, self._h2.max_outbound_frame_size, len(rest))
            self._h2.send_data(STREAM, rest[:size].tobytes(), end_stream=size == len(rest))
            rest = rest[size:]
        return rest

    def _receive(self) -> None:
        data = self._socket.recv(65_536)
        self._over = not data
        for event in self._h2.receive_data(data):
            if isinstance(event, ResponseReceived):
                headers = [(_text(name), _text(value)) for name, value in event.headers]
                self._status, self._headers = int(headers[0][1]), headers[1:]
            elif isinstance(event, DataReceived):
                self._body += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, STREAM)
            elif isinstance(event, StreamEnded | StreamReset | ConnectionTerminated):
                self._over = True


@cache
def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def request(
    url: str, method: str, target: str, headers: Headers, body: bytes, *, length: bool = True
) -> Reply:
    """One request; without `length` the end of its stream alone says where its body ends."""
    where = urlsplit(url)
    framing = [("content-length", str(len(body)))] if length else []
    pseudo = [(":method", method), (":scheme", "https"), (":authority", where.netloc), (":path", target)]
    fields = [(name if name.startswith("!") else name.lower(), value) for name, value in headers]
    with (
        socket.create_connection((where.hostname or "", where.port or 443), timeout=20) as plain,
        _context().wrap_socket(plain, server_hostname=where.hostname) as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
        sent = [*pseudo, *framing, *((name.removeprefix("!"), value) for name, value in fields)]
        return _Exchange(connection).run(sent, body)
