"""Audit lines on their way to the registry: each arrives once, whatever dies or is full meanwhile."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from app.cli.nginx import find
from tests.e2e.calling import call, callers
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
ENOUGH = 20
"""Calls of each kind of moment: before, while and after something is wrong."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, recorder: Recorder) -> Iterator[Stack]:
    """A Gatepost whose processes these tests may stop."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(tmp_path_factory.mktemp("audit"))
    here.register("steady", recorder.url)
    here.scope("steady", "steady")
    yield here
    here.stop()


def logged(stack: Stack) -> list[str]:
    """The ids in the log and in what rotation made of it."""
    files = [path for path in stack.file("logs").glob("audit.jsonl*") if path.suffix != ".json"]
    return [json.loads(line)["request_id"] for path in files for line in path.read_text().splitlines()]


def arrived(stack: Stack) -> list[str]:
    """The ids that the registry has."""
    found: list[str] = []
    cursor = ""
    while True:
        page = stack.api("GET", f"/api/audit?limit=1000{cursor and f'&cursor={cursor}'}", expect=200).json()
        found += [event["request_id"] for event in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = page["next_cursor"]


def same(stack: Stack) -> bool:
    if httpx2.get(f"{stack.url}/readyz").status_code != 200:
        return False
    return sorted(arrived(stack)) == sorted(logged(stack))


def more_calls(stack: Stack) -> None:
    before = len(logged(stack))
    until(lambda: len(logged(stack)) > before + ENOUGH, what="calls")


def nothing(_stack: Stack) -> None:
    pass


def kill_registry(stack: Stack) -> None:
    os.kill(stack.pid("registry"), signal.SIGKILL)


def kill_shipper(stack: Stack) -> None:
    os.kill(stack.pid("audit"), signal.SIGKILL)


def pause_registry(stack: Stack) -> None:
    registry = stack.pid("registry")
    os.kill(registry, signal.SIGSTOP)
    try:
        more_calls(stack)
    finally:
        os.kill(registry, signal.SIGCONT)


def pause_shipper_and_rotate_twice(stack: Stack) -> None:
    shipper = stack.pid("audit")
    os.kill(shipper, signal.SIGSTOP)
    try:
        rotate(stack)
        rotate(stack)
    finally:
        os.kill(shipper, signal.SIGCONT)


def rotate(stack: Stack) -> None:
    log = stack.file("logs", "audit.jsonl")
    number = len(list(log.parent.glob("audit.jsonl*")))
    log.rename(log.with_name(f"audit.jsonl.{number}"))
    os.kill(int(stack.file("nginx", "nginx.pid").read_text()), signal.SIGUSR1)
    until(lambda: log.exists() and log.stat().st_size, what="lines in the new file")


@pytest.mark.parametrize(
    "happens",
    [nothing, kill_registry, kill_shipper, pause_registry, rotate, pause_shipper_and_rotate_twice],
)
def test_every_line_arrives_once(own: Stack, happens: Callable[[Stack], None]) -> None:
    token = own.token("steady")
    with callers(own, "steady", token) as failures:
        more_calls(own)
        happens(own)
        more_calls(own)
    assert failures == []
    until(lambda: same(own), 60, what="the arrival of each line, once")


def test_nobody_reaches_the_intake_through_the_gateway(own: Stack) -> None:
    secret = own.file("secrets", "gateway_secret").read_text().strip()
    headers = {"Gatepost-Gateway-Secret": secret, "Authorization": f"Bearer {own.token()}"}
    for path in (
        "/internal/audit",
        "/api/internal/audit",
        "/mcp/registry/internal/audit",
        "/ui/internal/audit",
    ):
        assert httpx2.post(own.url + path, content=b"{}\n", headers=headers).status_code == 404


def test_a_refusal_is_in_the_list_of_the_command_line(own: Stack) -> None:
    assert call(own, "unknown", own.token("steady")) != "ran"

    def listed() -> list[dict[str, str]]:
        answer = own.command("audit", "list", "--json", "--server", "unknown", "--decision", "deny")
        return list(json.loads(answer.stdout))

    until(listed, what="the refusal")
    event = listed()[0]
    assert (event["subject"], event["method"], event["tool"]) == ("local:admin", "tools/call", "echo")
    table = own.command("audit", "list", "--server", "unknown").stdout
    assert "tools/call" in table


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk needs root, or the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write until no byte more fits."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(64)):
            pass


def test_a_full_disk_stops_no_call_and_is_said(tmp_path: Path, small_disk: Path, recorder: Recorder) -> None:
    stack = Stack.start(tmp_path, GATEPOST_AUDIT_FILE=str(small_disk / "audit.jsonl"))
    try:
        stack.register("steady", recorder.url)
        stack.scope("steady", "steady")
        token = stack.token("steady")
        assert call(stack, "steady", token) == "ran"
        filler = small_disk / "filler"
        fill(filler)
        assert [call(stack, "steady", token) for _ in range(ENOUGH)] == ["ran"] * ENOUGH
        until(lambda: "is full" in stack.command("logs", "audit").stdout, what="the warning")
        filler.unlink()
        until(lambda: "has room again" in stack.command("logs", "audit").stdout, what="its end")
        before = len(arrived(stack))

        def again() -> bool:
            """NGINX writes nothing for the second in which a line did not fit."""
            assert call(stack, "steady", token) == "ran"
            return len(arrived(stack)) > before

        until(again, what="the lines after it")
    finally:
        stack.stop()
