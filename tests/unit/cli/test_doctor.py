import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.setenv("GATEPOST_STATE_DIR", str(tmp_path))
    return CliRunner()


def test_a_warning_is_shown_and_is_no_failure(cli: CliRunner) -> None:
    done = cli.invoke(app, ["doctor"])
    assert done.exit_code == 0
    assert "gatepost up" in done.stdout


def test_an_error_is_exit_code_1_and_programs_get_the_same_findings(cli: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "gatepost.db").write_bytes(b"not a database, but long enough to be taken for one " * 100)
    done = cli.invoke(app, ["doctor", "--json"])
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["ok"]) == (1, False)
    assert answer["findings"][0].keys() == {"check", "state", "found", "fix"}
