import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.cli.shipping.intake import Intake, NotTakenError, Taken
from app.core.settings import Settings

SECRET = "between gateway and registry"


class Answering(HTTPServer):
    """Something at the registry's port that gives one answer to everything, and keeps what it was sent."""

    answer = (200, b"{}")
    received: tuple[str | None, bytes] = (None, b"")


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received = (self.headers["Gatepost-Gateway-Secret"], body)
        status, text = self.server.answer
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Answering]:
    server = Answering(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def intake(port: int) -> Intake:
    return Intake(
        Settings.from_environ({"GATEPOST_REGISTRY_PORT": str(port), "GATEPOST_GATEWAY_SECRET": SECRET})
    )


def test_lines_go_as_they_are_with_the_secret(registry: Answering) -> None:
    registry.answer = (200, b'{"stored": 1, "broken": 2}')
    assert intake(registry.server_port).send(b"a\nb\nc\n") == Taken(stored=1, broken=2)
    assert registry.received == (SECRET, b"a\nb\nc\n")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, json.dumps({"title": "No", "detail": "set the secret"}).encode(), "403: No: set the secret"),
        (502, b"<html>", "status 502: without a reason"),
        (503, b"[]", "status 503: without a reason"),
        (307, b"", "status 307"),
        (200, b"<html>", "something else than a registry"),
        (200, b"[]", "something else than a registry"),
        (200, b'{"stored": null, "broken": 0}', "something else than a registry"),
    ],
)
def test_what_is_not_taken_says_why_and_never_the_secret(
    registry: Answering, status: int, body: bytes, reason: str
) -> None:
    registry.answer = (status, body)
    with pytest.raises(NotTakenError, match=reason) as refused:
        intake(registry.server_port).send(b"a\n")
    assert SECRET not in str(refused.value)


def test_nobody_at_the_port_is_said_with_the_address() -> None:
    with pytest.raises(NotTakenError, match=r"http://127\.0\.0\.1:9/internal/audit does not answer"):
        intake(9).send(b"a\n")
