"""kill -9 under load: what was acknowledged is there, at both hosts, once."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx2
import pytest

from app.core.store import open_store
from tests.e2e.faults.conftest import ready
from tests.e2e.faults.processes import kill, pid_of
from tests.e2e.shared.conftest import Pair
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e


@dataclass
class Written:
    """Scopes that a host acknowledged, and answers that were none."""

    names: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def goes_on(self, more: int = 10) -> None:
        before = len(self.names)
        until(lambda: len(self.names) >= before + more, 30, "more writes")


@contextmanager
def writing(stack: Stack, name: str) -> Iterator[Written]:
    """Somebody who makes scopes through one host until the block ends."""
    written, done = Written(), threading.Event()
    token = stack.file("secrets", "cli_token").read_text().strip()

    def work() -> None:
        number = 0
        with httpx2.Client(headers={"Authorization": f"Bearer {token}"}, timeout=20) as http:
            while not done.is_set():
                number += 1
                body = {"name": f"{name}-{number}", "groups": ["nobody"]}
                try:
                    status = http.post(f"{stack.url}/api/scopes", json=body).status_code
                except httpx2.TransportError as error:
                    written.failed.append(repr(error))
                    done.wait(0.05)
                    continue
                if status == 201:
                    written.names.append(body["name"])
                else:
                    written.failed.append(str(status))
                    done.wait(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield written
    finally:
        done.set()
        thread.join()


def scopes(stack: Stack) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page = stack.api("GET", f"/api/scopes?limit=100{cursor}", expect=200).json()
        found += [scope["name"] for scope in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def numbers(stack: Stack) -> list[int]:
    async def read() -> list[int]:
        store = await open_store(stack.settings)
        try:
            changes = []
            while more := await store.changes(changes[-1] if changes else 0):
                changes += [change.number for change in more]
            return changes
        finally:
            await store.close()

    return asyncio.run(read())


def is_whole(pair: Pair, *written: Written) -> None:
    acknowledged = [name for one in written for name in one.names]
    for stack in pair.sides:
        there = scopes(stack)
        assert len(there) == len(set(there))
        assert set(acknowledged) <= set(there)
    found = numbers(pair.first)
    assert found == list(range(1, len(found) + 1))


@pytest.mark.parametrize("name", ["registry", "auth", "gateway"])
def test_no_acknowledged_write_is_lost_with_a_process_and_the_other_host_notices_nothing(
    pair: Pair, name: str
) -> None:
    with writing(pair.first, f"{name}-1") as first, writing(pair.second, f"{name}-2") as second:
        first.goes_on()
        second.goes_on()
        kill(pair.second, name)
        first.goes_on()
        second.goes_on()
    assert first.failed == []
    until(lambda: ready(pair.second), what="readiness")
    is_whole(pair, first, second)


def test_no_acknowledged_write_is_lost_with_a_whole_host(pair: Pair) -> None:
    with writing(pair.first, "host-1") as first, writing(pair.second, "host-2") as second:
        second.goes_on()
        for name in ("supervisor", "registry", "auth", "gateway", "audit"):
            with suppress(ProcessLookupError):
                os.kill(pid_of(pair.second, name), signal.SIGKILL)
        first.goes_on()
    assert first.failed == []
    pair.second.command("up", "--detach")
    is_whole(pair, first, second)
