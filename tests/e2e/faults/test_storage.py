"""No room for the audit log, and a store that another program holds: calls go on, the rest follows."""

import json
import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.nginx import find
from tests.e2e.attach import attaching
from tests.e2e.calling import call
from tests.e2e.load import Target, load
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system of its own needs root: run as root `tests/run e2e -k disk`")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_stops_no_call_and_lines_come_again_with_room(small_disk: Path, tmp_path: Path) -> None:
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    audit, ballast = small_disk / "audit.jsonl", small_disk / "ballast"
    ballast.write_bytes(b"x" * (32 * 1024))
    stack = Stack.start(tmp_path, GATEPOST_AUDIT_FILE=str(audit))
    try:
        with attaching(stack) as attach, load(attach("good")) as seen:
            seen.goes_on()
            until(lambda: _is_full(small_disk), what="a full disk")
            seen.goes_on(500)
            ballast.unlink()
            size = audit.stat().st_size
            until(lambda: audit.stat().st_size > size + 4096, what="further lines")
            assert seen.clean, seen
    finally:
        stack.stop()
    torn = [line for line in audit.read_text().splitlines() if not _is_whole(line)]
    assert len(torn) <= 1, "only the line that met the end of the disk may be torn"


def _is_full(folder: Path) -> bool:
    return os.statvfs(folder).f_bavail == 0


def _is_whole(line: str) -> bool:
    try:
        return "decision" in json.loads(line)
    except ValueError:
        return False


def test_while_the_store_is_locked_calls_go_on_and_a_change_waits(own: Stack, steady: Target) -> None:
    unknown = own.token("good")
    change = threading.Thread(target=own.scope, args=("waits", "good"), daemon=True)
    with load(steady) as seen:
        with sqlite3.connect(own.file("gatepost.db"), isolation_level=None) as store:
            store.execute("BEGIN EXCLUSIVE")
            change.start()
            assert call(own, "good", unknown) == "ran"
            seen.goes_on(500)
            assert change.is_alive()
            store.execute("ROLLBACK")
        store.close()
        change.join(20)
        own.api("GET", "/api/scopes/waits", expect=200)
        seen.goes_on()
    assert seen.clean, seen
