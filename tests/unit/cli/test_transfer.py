from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.cli.output import CliError


def test_an_export_without_a_store_makes_none_and_says_where_to_look(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GATEPOST_STATE_DIR", str(tmp_path / "state"))
    done = CliRunner().invoke(app, ["export", str(tmp_path / "x.jsonl")])
    assert isinstance(done.exception, CliError)
    assert "GATEPOST_MONGODB_URI" in str(done.exception)
    assert list(tmp_path.iterdir()) == []
