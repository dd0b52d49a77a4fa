"""Whatever takes a right away takes it at every gateway within two seconds, and ends open streams."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from tests.e2e import troubled
from tests.e2e.beside import second_gateway
from tests.e2e.load import tool_call
from tests.e2e.revoking import KINDS, Right, granted
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
FORCE_S, POLL_S = 2.0, 0.5
SLUG = "revoked"


@pytest.fixture(scope="module")
def origins(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two gateways before a server that answers `echo`, and `ticks` by a stream without an end."""
    with (
        troubled.running("good") as url,
        second_gateway(stack, tmp_path_factory.mktemp("second")) as second,
    ):
        stack.register(SLUG, url)
        yield [stack.url, second]


def headers(right: Right) -> dict[str, str]:
    accept = "application/json, text/event-stream"
    return {"Accept": accept, "Content-Type": "application/json", **right.headers}


def call(origin: str, right: Right) -> str:
    """ "ran", or the rule that refused."""
    sent = tool_call(1, "echo", text="x")
    answer = httpx2.post(f"{origin}/mcp/{SLUG}", content=sent, headers=headers(right), timeout=20).json()
    return "ran" if "result" in answer else str(answer["error"]["data"]["rule"])


@contextmanager
def open_stream(origin: str, right: Right) -> Iterator[list[float]]:
    """A stream that goes on; the list gets the moment at which it broke off."""
    ended: list[float] = []
    going = threading.Event()

    def read() -> None:
        sent = tool_call(1, "ticks")
        with httpx2.stream(
            "POST", f"{origin}/mcp/{SLUG}", content=sent, headers=headers(right), timeout=20
        ) as answer:
            try:
                for line in answer.iter_lines():
                    if line.startswith("data:"):
                        going.set()
            except httpx2.RemoteProtocolError:
                ended.append(time.monotonic())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert going.wait(20), "the stream begins"
    yield ended
    thread.join(20)


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_that_is_taken_away_is_gone_at_two_gateways_and_from_their_streams(
    stack: Stack, origins: list[str], kind: str
) -> None:
    right = granted(stack, SLUG, kind)
    assert [call(origin, right) for origin in origins] == ["ran", "ran"]
    with open_stream(origins[0], right) as first, open_stream(origins[1], right) as second:
        right.revoke()
        revoked = time.monotonic()
        until(lambda: all(call(origin, right) == right.rule for origin in origins), what="the refusals")
        refused = time.monotonic()
        until(lambda: first and second, what="the ends of the streams")
    assert refused - revoked < FORCE_S + POLL_S
    assert max(first[0], second[0]) - revoked < FORCE_S + POLL_S
