"""An upstream by raw bytes, for what no proper server does: it holds calls, falls silent, breaks off."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

RESULT = b'{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
OTHERS = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
Behaviour = Callable[[socket.socket], None]


def answer(connection: socket.socket) -> None:
    """A plain tool result."""
    connection.sendall(JSON + b"Content-Length: %d\r\n\r\n" % len(RESULT) + RESULT)


class RawUpstream:
    """Does with each tool call, and each GET, what it is told; the registry's own looks get a 400."""

    def __init__(self, behave: Behaviour, host: str = "127.0.0.1", port: int = 0) -> None:
        self.calls = 0
        self._behave = behave
        self._listener = socket.create_server((host, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}/mcp"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _read(connection)
            if b'"tools/call"' in request or request.startswith(b"GET "):
                self.calls += 1
                self._behave(connection)
            else:
                connection.sendall(OTHERS)

    def stop(self) -> None:
        # A thread in accept() wakes up from this alone.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def behaving(behave: Behaviour, host: str = "127.0.0.1", port: int = 0) -> Iterator[RawUpstream]:
    upstream = RawUpstream(behave, host, port)
    try:
        yield upstream
    finally:
        upstream.stop()


def closed_by_peer(connection: socket.socket, seconds: float = 20) -> bool:
    """Whether the other side closes the connection in time; what it sends meanwhile does not matter."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def silent(connection: socket.socket) -> None:
    closed_by_peer(connection)


def dripping(head: bytes, drop: bytes, seen: list[bool]) -> Callable[[socket.socket], None]:
    """Sends a little every 50 ms until the gateway closes the connection, and notes that it did."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        deadline = time.monotonic() + 20
        try:
            while time.monotonic() < deadline:
                connection.sendall(drop)
                time.sleep(0.05)
        except OSError:
            seen.append(True)

    return drip


@contextmanager
def deaf() -> Iterator[str]:
    """An address that takes no connection: the queue of its listener is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        try:
            for _ in range(8):
                one = socket.socket()
                one.settimeout(0.1)
                waiting.append(one)
                try:
                    one.connect(address)
                except TimeoutError:
                    break
            yield f"http://127.0.0.1:{address[1]}/mcp"
        finally:
            for one in waiting:
                one.close()


def _read(connection: socket.socket) -> bytes:
    """One request, whole."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionResetError("the request ended early")
    return data
