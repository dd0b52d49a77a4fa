"""A proxy between a gateway and auth that holds verdicts back: what auth said long ago arrives now."""

import contextlib
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HELD_AT_MOST_S = 4.0
"""Shorter than a gateway waits for auth."""


class LateAuth:
    """Passes everything on at once; verdicts wait, once auth has given them, between `hold` and `release`.

    `polls` are the answered questions for what changed.
    """

    def __init__(self, port: int) -> None:
        self.verdicts = self.polls = 0
        self.waiting = 0
        self._free = threading.Event()
        self._free.set()
        late = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # the library's name
                auth = HTTPConnection("127.0.0.1", port, timeout=10)
                auth.request("GET", self.path, headers=dict(self.headers.items()))
                answer = auth.getresponse()
                body = answer.read()
                auth.close()
                if self.path.startswith("/internal/verdict"):
                    late._hold()
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                late.polls += self.path.startswith("/internal/epoch")

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def hold(self) -> None:
        """Keep back the verdicts that auth gives from now on."""
        self._free.clear()

    def release(self) -> None:
        """Hand on all that was kept back."""
        self._free.set()

    def stop(self) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def _hold(self) -> None:
        self.verdicts += 1
        self.waiting += 1
        self._free.wait(HELD_AT_MOST_S)
        self.waiting -= 1


@contextlib.contextmanager
def late_auth(port: int) -> Iterator[LateAuth]:
    """In front of the auth server whose internal port that is."""
    late = LateAuth(port)
    try:
        yield late
    finally:
        late.stop()
