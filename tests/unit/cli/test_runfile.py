import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.runfile import Run, RunningProcess, locked
from app.cli.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    return folder


def run_of(process: RunningProcess) -> Run:
    return Run(supervisor=process, url="http://127.0.0.1:1", username="admin")


def test_a_process_is_alive_until_it_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = RunningProcess.of(child.pid)
        assert process.is_alive()
        child.communicate(b"\n")
    assert not process.is_alive()


def test_a_reused_pid_is_another_process() -> None:
    assert not RunningProcess(pid=os.getpid(), started="1", since=0).is_alive()


def test_the_current_run_is_the_one_whose_supervisor_lives(state: StateFolder) -> None:
    run_of(RunningProcess.of(os.getpid())).save(state)
    assert Run.current(state) is not None
    run_of(RunningProcess(pid=os.getpid(), started="1", since=0)).save(state)
    assert Run.current(state) is None
    assert Run.load(state) is not None


def test_a_run_file_that_cannot_be_read_is_no_run(state: StateFolder) -> None:
    state.run_file.write_text("{")
    assert Run.load(state) is None


def test_the_folder_is_locked_by_one_at_a_time(state: StateFolder) -> None:
    with locked(state) as first, locked(state) as second:
        assert (first, second) == (True, False)
    with locked(state) as again:
        assert again
