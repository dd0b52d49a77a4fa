import base64
import os
import stat
from pathlib import Path

import pytest

from app.cli.output import CliError
from app.cli.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_its_owners_alone(state: StateFolder) -> None:
    assert mode(state.path) == mode(state.path / "secrets") == mode(state.logs) == 0o700


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    StateFolder(folder).prepare()
    assert mode(folder) == 0o700


def test_secrets_are_generated_once_and_kept(state: StateFolder) -> None:
    state.make_keys()
    first = [state.read_secret(name) for name in ("gateway_secret", "sealing_keys")]
    state.make_keys()
    assert [state.read_secret(name) for name in ("gateway_secret", "sealing_keys")] == first
    assert len(base64.b64decode(first[1] or "")) == 32


def test_a_secret_is_never_readable_for_others(state: StateFolder) -> None:
    previous = os.umask(0)
    try:
        path = state.write_secret("password", "hush")
    finally:
        os.umask(previous)
    assert mode(path) == 0o600
    assert state.read_secret("password") == "hush"


def test_a_secret_that_is_not_there_is_none(state: StateFolder) -> None:
    assert state.read_secret("nothing") is None


def test_a_file_in_the_folders_place_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(CliError, match=r"state folder .*taken cannot be used: .* GATEPOST_STATE_DIR"):
        StateFolder(tmp_path / "taken").prepare()


def test_the_setting_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert StateFolder.find({}).path == tmp_path / ".gatepost"
    assert StateFolder.find({"GATEPOST_STATE_DIR": "elsewhere"}).path == tmp_path / "elsewhere"


def test_an_empty_setting_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert StateFolder.find({"GATEPOST_STATE_DIR": ""}).path == tmp_path / ".gatepost"
