import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from app.cli.nginx import find
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
CHECKOUT = Path(__file__).parents[2]


class Gatepost:
    """The command line in a folder of its own, on a port of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"http://127.0.0.1:{port}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
        own = {"PYTHONPATH": str(CHECKOUT), "GATEPOST_GATEWAY_PORT": str(port)}
        self.environ = {**inherited, **own, **Stack.database()}
        self.command = [sys.executable, "-P", "-m", "app.cli"]

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def status(self) -> dict[str, dict[str, dict[str, int]]]:
        return json.loads(self("status", "--json").stdout)  # type: ignore[no-any-return]

    def pid(self, process: str) -> int:
        return self.status()["processes"][process]["pid"]

    def file(self, *parts: str) -> Path:
        return self.folder.joinpath(".gatepost", *parts)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.1)


@pytest.fixture
def gatepost(tmp_path: Path) -> Iterator[Gatepost]:
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Gatepost(tmp_path, free_port())
    yield here
    here("down")


@pytest.fixture
def running(gatepost: Gatepost) -> Gatepost:
    answer = gatepost("up", "--detach")
    assert answer.returncode == 0, answer.stderr
    return gatepost


def test_up_tells_all_that_is_needed_next(gatepost: Gatepost) -> None:
    answer = gatepost("up", "--detach")
    assert answer.returncode == 0, answer.stderr
    password_file = gatepost.file("secrets", "admin_password")
    for told in (gatepost.url, f"{gatepost.url}/login", f"{gatepost.url}/mcp/registry", str(password_file)):
        assert told in answer.stdout
    assert password_file.read_text().strip() not in answer.stdout
    assert httpx2.get(f"{gatepost.url}/readyz").status_code == 200


def test_status_names_every_process(running: Gatepost) -> None:
    status = running.status()
    assert (status["running"], status["ready"], status["url"]) == (True, True, running.url)
    assert set(status["processes"]) == {"auth", "registry", "gateway", "audit"}
    assert "restarts" in running("status").stdout


def test_a_second_up_says_what_runs_already(running: Gatepost) -> None:
    before = running.pid("gateway")
    answer = running("up", "--detach")
    assert answer.returncode == 0
    assert "runs already" in answer.stdout
    assert running.url in answer.stdout
    assert running.pid("gateway") == before


@pytest.mark.parametrize("process", ["auth", "registry", "gateway", "audit"])
def test_a_process_that_dies_is_started_again_and_that_is_said(running: Gatepost, process: str) -> None:
    before = running.pid(process)
    os.kill(before, signal.SIGKILL)
    until(lambda: running.pid(process) != before)
    until(lambda: httpx2.get(f"{running.url}/readyz").status_code == 200 if answers(running) else False)
    assert f"{process} was killed by SIGKILL; starting it again" in running("logs", "gatepost").stdout
    assert running.status()["processes"][process]["restarts"] == 1


def answers(gatepost: Gatepost) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", gatepost.port)) == 0


def test_a_port_in_use_is_named_with_its_setting(gatepost: Gatepost) -> None:
    with socket.create_server(("127.0.0.1", gatepost.port)):
        answer = gatepost("up", "--detach")
    assert answer.returncode == 1
    assert f"port {gatepost.port} on 127.0.0.1 is in use" in answer.stderr
    assert "GATEPOST_GATEWAY_PORT" in answer.stderr


def test_a_process_that_cannot_start_shows_its_last_lines(gatepost: Gatepost) -> None:
    answer = gatepost("up", "--detach", GATEPOST_SEALING_KEYS="these are no keys")
    assert answer.returncode == 1
    assert "ended with code" in answer.stderr
    assert gatepost("status").returncode == 3


def test_down_ends_everything_and_up_starts_again_with_the_same_state(running: Gatepost) -> None:
    token = running.file("secrets", "cli_token").read_text()
    pids = [running.pid(process) for process in ("auth", "registry", "gateway", "audit")]
    assert running("down").returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not answers(running)
    assert running("status").returncode == 3
    assert running("up", "--detach").returncode == 0
    assert running.file("secrets", "cli_token").read_text() == token


def test_what_a_killed_supervisor_leaves_behind_is_ended_by_the_next_up(running: Gatepost) -> None:
    left = running.pid("gateway")
    os.kill(int(running.status()["pid"]), signal.SIGKILL)  # type: ignore[call-overload]
    until(lambda: running("status").returncode == 3)
    answer = running("up", "--detach")
    assert answer.returncode == 0, answer.stderr
    assert f"ending gateway (pid {left})" in answer.stderr


def test_in_the_foreground_it_shows_its_logs_and_ends_at_ctrl_c(gatepost: Gatepost) -> None:
    with subprocess.Popen(
        [*gatepost.command, "up"],
        cwd=gatepost.folder,
        env=gatepost.environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lines = iter(process.stdout)  # type: ignore[arg-type]
        until(lambda: "Gatepost is up" in next(lines))
        process.send_signal(signal.SIGINT)
        rest = "".join(lines)
    assert process.returncode == 0
    assert "gatepost │ going down" in rest
    assert not answers(gatepost)


def test_the_password_that_the_user_gave_is_written_nowhere(gatepost: Gatepost) -> None:
    answer = gatepost("up", "--detach", GATEPOST_ADMIN_PASSWORD="correct horse")
    assert answer.returncode == 0, answer.stderr
    assert "correct horse" not in answer.stdout
    assert not gatepost.file("secrets", "admin_password").exists()
    found = [
        path
        for path in gatepost.file().rglob("*")
        if path.is_file() and b"correct horse" in path.read_bytes()
    ]
    assert found == []


def test_the_demo_shows_what_it_says_and_takes_it_all_away(running: Gatepost) -> None:
    answer = running("demo")
    assert answer.returncode == 0, answer.stderr
    assert "add(2, 3) through the gateway: 5" in answer.stdout
    assert 'no scope of yours allows tools/call of the tool "secret_note"' in answer.stdout
    assert json.loads(running("server", "list", "--json").stdout) == []
    assert "demo" not in running("scope", "list").stdout


def test_only_a_tokens_value_is_on_standard_output(running: Gatepost) -> None:
    answer = running("token", "create", "laptop", "--days", "1")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("gp_")
    assert answer.stdout.count("\n") == 1
    assert "laptop" in running("token", "list").stdout


def test_a_refusal_is_the_problems_words_on_standard_error(running: Gatepost) -> None:
    answer = running("server", "show", "nothing")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("gatepost: ")
