"""An upstream that holds requests open, and notices when their other end goes away."""

import contextlib
import socket
import threading
from collections.abc import Iterator

EVENT_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
NOTIFICATION = b'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n'


class Held:
    """Begins each answer with `start` and never ends it; `opened` and `closed` count requests."""

    def __init__(self, start: bytes) -> None:
        self._start = start
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/mcp"
        self.opened = 0
        self.closed = 0
        self.connections: list[socket.socket] = []
        self.requests: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._hold, args=(connection,), daemon=True).start()

    def _hold(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.requests.append(connection.recv(65_536))
            self.opened += 1
            self.connections.append(connection)
            if self._start:
                connection.sendall(self._start)
            while connection.recv(65_536):
                pass
        self.closed += 1

    def say(self, data: bytes, *, last: bool = False) -> None:
        """Send more on the newest connection; `last` closes it."""
        self.connections[-1].sendall(data)
        if last:
            self.connections[-1].shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self._listener.close()


@contextlib.contextmanager
def held(start: bytes = b"") -> Iterator[Held]:
    upstream = Held(start)
    try:
        yield upstream
    finally:
        upstream.stop()
