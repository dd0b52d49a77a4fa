"""Calls and streams by a right that may be taken away, at a server of `tests.e2e.troubled`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from tests.e2e.load import tool_call
from tests.e2e.revoking import Right


def _headers(right: Right) -> dict[str, str]:
    accept = "application/json, text/event-stream"
    return {"Accept": accept, "Content-Type": "application/json", **right.headers}


def call(url: str, right: Right) -> str:
    """ "ran", or the rule that refused."""
    sent = tool_call(1, "echo", text="x")
    answer = httpx2.post(url, content=sent, headers=_headers(right), timeout=20).json()
    return "ran" if "result" in answer else str(answer["error"]["data"]["rule"])


@contextmanager
def open_stream(url: str, right: Right) -> Iterator[list[float]]:
    """A stream that goes on; the list gets the moment at which it broke off."""
    ended: list[float] = []
    going = threading.Event()

    def read() -> None:
        sent = tool_call(1, "ticks")
        with httpx2.stream("POST", url, content=sent, headers=_headers(right), timeout=20) as answer:
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
