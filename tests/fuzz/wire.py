"""One kept connection, by raw bytes: a request is sent as it is, and the status of its answer read."""

import contextlib
import socket
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from tests.fuzz.requests import Request

PATIENCE_S, SILENCE_S = 20.0, 0.3


class Wire:
    """Opens its connection when it has none; `why` says what became of a request without an answer."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._address = (where.hostname or "", where.port or 80)
        self._socket: socket.socket | None = None
        self.why = ""
        self._before: Request | None = None

    def send(self, request: Request) -> int | None:
        """The status; None where the gateway gave no answer."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address)
            self._before = None
        self._socket.settimeout(PATIENCE_S if request.framed else SILENCE_S)
        response = HTTPResponse(self._socket, method=request.method)
        try:
            with contextlib.suppress(ConnectionError):  # an early refusal may close before all was sent
                self._socket.sendall(request.data)
            response.begin()
            response.read()
        except (HTTPException, OSError) as error:
            self.why = f"{error!r}; before it on this connection: {self._before}"
            self.close()
            return None
        finally:
            response.close()
        self._before = request
        if response.will_close or not request.framed:
            self.close()
        return response.status

    def close(self) -> None:
        """The next request opens another connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
