import io
from pathlib import Path

import pytest

from app.cli.documents import read_document, server_document
from app.cli.output import CliError


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://mcp.context7.com/mcp", "com.context7.mcp/context7"),
        ("https://tools.example.co.uk/mcp", "uk.co.example.tools/co"),
        ("http://localhost:3001/mcp", "localhost/localhost-3001"),
        ("http://127.0.0.1:3001/mcp", "local/127-0-0-1-3001"),
        ("http://[::1]:3001/mcp", "local/1-3001"),
    ],
)
def test_a_server_without_a_name_gets_one_from_its_host(url: str, name: str) -> None:
    assert server_document(url, None)["name"] == name


def test_a_short_name_is_completed_by_the_host() -> None:
    assert server_document("https://mcp.example.com/mcp", "ledger")["name"] == "com.example.mcp/ledger"


def test_a_full_name_stays_as_it_is() -> None:
    assert server_document("https://mcp.example.com/mcp", "org.acme/ledger")["name"] == "org.acme/ledger"


def test_the_url_becomes_the_streamable_http_remote() -> None:
    url = "https://mcp.example.com/mcp?tools=all"
    assert server_document(url, None)["remotes"] == [{"type": "streamable-http", "url": url}]


def test_a_port_that_is_no_number_is_a_clear_error() -> None:
    with pytest.raises(CliError, match="is not a URL"):
        server_document("http://localhost:many/mcp", None)


def test_a_document_comes_from_a_file_or_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.json").write_text('{"name": "one"}')
    monkeypatch.setattr("sys.stdin", io.StringIO('{"name": "two"}'))
    assert read_document(str(tmp_path / "one.json")) == {"name": "one"}
    assert read_document("-") == {"name": "two"}


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "is no JSON"), ("[]", "no JSON object"), (None, "cannot be read")]
)
def test_what_is_no_document_is_refused_with_the_files_name(
    tmp_path: Path, text: str | None, reason: str
) -> None:
    file = tmp_path / "server.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CliError, match=rf"server\.json .*{reason}"):
        read_document(str(file))
