import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).parents[4]


@contextmanager
def shipping(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """`gatepost audit ship`, with a registry that is not there."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
    environ = {
        **own,
        "GATEPOST_STATE_DIR": str(folder),
        "GATEPOST_AUDIT_FILE": str(folder / "audit.jsonl"),
        "GATEPOST_GATEWAY_SECRET": "between gateway and registry",
        "GATEPOST_REGISTRY_PORT": "9",
    }
    command = [sys.executable, "-m", "app.cli", "audit", "ship"]
    process = subprocess.Popen(command, env=environ, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_said(process: "subprocess.Popen[str]", text: str) -> str:
    """Read its log up to the line with that text."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if text in line:
            return said
    raise AssertionError(f"it never said {text!r}: {said}")


def test_a_registry_that_is_away_is_named_once_and_sigterm_ends_it(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text("a line\n")
    with shipping(tmp_path) as process:
        said = until_said(process, "audit lines wait")
        assert "http://127.0.0.1:9/internal/audit does not answer" in said
        assert '"behind_bytes": 7' in said
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")
    assert "between gateway and registry" not in said


def test_a_second_one_waits_until_the_first_has_ended(tmp_path: Path) -> None:
    lock = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with shipping(tmp_path) as process:
        until_said(process, "this one waits")
        os.close(lock)
        until_said(process, "audit lines go to the registry")
    with shipping(tmp_path) as process:
        until_said(process, "audit lines go to the registry")
