import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.cli.api import Api, NotFoundError, Target
from app.cli.output import CliError
from tests.e2e.bypass.certificates import Authority

PROBLEM = {
    "type": "urn:gatepost:problem:slug-taken",
    "title": "This slug is taken",
    "detail": "choose another",
}
Seen = list[tuple[str, str, dict[str, str]]]


class Handler(BaseHTTPRequestHandler):
    seen: Seen

    def do_GET(self) -> None:
        self.seen.append(
            (self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        )
        status, body = ANSWERS[self.path.partition("?")[0]]
        if "cursor=next" in self.path:
            body = {"items": [3], "next_cursor": None}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


ANSWERS: dict[str, tuple[int, Any]] = {
    "/api/taken": (409, PROBLEM),
    "/api/nothing": (404, {"title": "No such server"}),
    "/api/broken": (502, b"<html>"),
    "/api/many": (200, {"items": [1, 2], "next_cursor": "next"}),
    "/api/one": (200, {}),
}


@pytest.fixture
def api() -> Iterator[Api]:
    Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Api(Target(f"http://127.0.0.1:{server.server_port}", "gp_secret"))
        yield client
        client.close()
        server.shutdown()


def test_a_refusal_shows_the_problems_title_and_detail(api: Api) -> None:
    with pytest.raises(CliError, match=r"^This slug is taken: choose another$"):
        api.get("/api/taken")


def test_what_is_not_there_can_be_told_from_other_refusals(api: Api) -> None:
    with pytest.raises(NotFoundError, match=r"^No such server$"):
        api.get("/api/nothing")


def test_an_answer_that_is_no_problem_document_shows_its_status(api: Api) -> None:
    with pytest.raises(CliError, match=r"^GET /api/broken: status 502$"):
        api.get("/api/broken")


def test_a_list_is_read_to_its_last_page(api: Api) -> None:
    assert api.items("/api/many") == [1, 2, 3]


def test_the_token_goes_in_the_header_and_in_no_message(api: Api) -> None:
    api.get("/api/one")
    assert Handler.seen[-1][2]["authorization"] == "Bearer gp_secret"
    assert "gp_secret" not in repr(api.target)


def test_a_gateway_that_is_not_there_is_named() -> None:
    with pytest.raises(CliError, match=r"http://127\.0\.0\.1:1 does not answer"):
        Api(Target("http://127.0.0.1:1", "gp_secret")).get("/api/me")


def test_a_certificate_of_an_unknown_authority_comes_with_the_way_to_trust_it(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority.make(tmp_path).issue("127.0.0.1"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=_refused_handshake, args=(listening, context))
        serving.start()
        with pytest.raises(CliError, match=r"certificate verify failed.*SSL_CERT_FILE"):
            Api(Target(f"https://127.0.0.1:{listening.getsockname()[1]}", "gp_secret")).get("/api/me")
        serving.join(10)


def _refused_handshake(listening: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listening.accept()
    with contextlib.suppress(OSError), connection, context.wrap_socket(connection, server_side=True):
        pass


def test_another_gateway_needs_its_own_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CliError, match=r"--token-file"):
        Target.choose("https://mcp.example.com", None)
    (tmp_path / "token").write_text("gp_other\n")
    chosen = Target.choose("https://mcp.example.com/", tmp_path / "token")
    assert (chosen.url, chosen.token) == ("https://mcp.example.com", "gp_other")


def test_where_nothing_runs_the_way_to_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CliError, match=r"nothing runs from .*gatepost up"):
        Target.choose(None, None)


def test_a_proxy_is_not_asked_for_this_machine(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert Api(api.target).get("/api/one") == {}
