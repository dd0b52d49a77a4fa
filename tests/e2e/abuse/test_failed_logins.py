"""Guessing passwords: ten thousand tries in a row, from one address and from a thousand."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.e2e.abuse.logins import log_in
from tests.e2e.stack import Stack
from tests.e2e.wire import Connection

pytestmark = pytest.mark.e2e
TRIES, CONNECTIONS = 10_000, 8
PER_PAIR, PER_ADDRESS, PER_NAME = 5, 30, 50
HOME = "192.0.2.7"


async def guess(stack: Stack, tries: list[tuple[str, str]]) -> Counter[int]:
    """How often each status answered these tries, each of a name from an address."""
    left, seen = iter(tries), Counter[int]()

    async def go_on() -> None:
        connection = Connection(stack.url, deadline_s=60)
        for name, address in left:
            headers = {
                "Origin": stack.url,
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Forwarded-For": address,
            }
            body = urlencode({"username": name, "password": "a guess"}).encode()
            await connection.send("POST", "/login", headers, body)
            assert [piece async for piece in connection.pieces()]
            seen[connection.status] += 1
        connection.close()

    await asyncio.gather(*(go_on() for _ in range(CONNECTIONS)))
    return seen


def cpu_s(stack: Stack) -> float:
    """The CPU time that the auth server has used."""
    fields = Path(f"/proc/{stack.pid('auth')}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_ten_thousand_failures_are_throttled_and_the_owner_still_gets_in(balanced: Stack) -> None:
    assert log_in(balanced, address=HOME).status_code == 303
    tries = [("admin", f"198.51.{number % 1000 // 250}.{number % 250}") for number in range(TRIES)]
    used, began = cpu_s(balanced), time.monotonic()
    seen = asyncio.run(guess(balanced, tries))
    assert time.monotonic() - began < 240, "the window of the first tries has not ended"
    assert seen == {403: PER_NAME, 429: TRIES - PER_NAME}
    assert (cpu_s(balanced) - used) / TRIES < 0.02, "a refused try costs no hash"
    assert log_in(balanced, address="203.0.113.5").status_code == 429
    assert log_in(balanced, address=HOME).status_code == 303


def test_an_address_is_throttled_over_all_names_and_no_other_with_it(balanced: Stack) -> None:
    stranger = "203.0.113.77"
    seen = asyncio.run(guess(balanced, [(f"name-{number}", stranger) for number in range(200)]))
    assert seen == {403: PER_ADDRESS, 429: 200 - PER_ADDRESS}
    refused = log_in(balanced, username="one-more", address=stranger)
    assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert "Too many failed attempts" in refused.text
    assert log_in(balanced, username="one-more", address="203.0.113.78").status_code == 403


def test_a_name_is_throttled_at_one_address_before_others_are(balanced: Stack) -> None:
    seen = asyncio.run(guess(balanced, [("victim", "203.0.113.90")] * 40))
    assert seen == {403: PER_PAIR, 429: 40 - PER_PAIR}
    assert log_in(balanced, username="victim", address="203.0.113.91").status_code == 403
