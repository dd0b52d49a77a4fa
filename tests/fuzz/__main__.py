"""Fuzzing of the running gateway: `tests/run fuzz [--requests 20000] [--seed 1]`.

Whatever is sent: no 5xx, no worker dies, and nothing reaches the upstream that the caller may not do, however
lenient the upstream's parser is. The request that broke it is shrunk and printed.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx2
from hypothesis import HealthCheck, Phase, given, seed, settings

from app.cli.nginx import find
from tests.e2e import memory
from tests.e2e.bypass.gate import SLUG, UPSTREAM_SECRET
from tests.e2e.faults.processes import worker_of
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.stack import Stack
from tests.fuzz import judge
from tests.fuzz.requests import Request, requests
from tests.fuzz.wire import Wire

SESSION = "session-of-the-upstream"
ROUND = 2500
BAD = ("exited on signal", "[alert]", "[emerg]", "[crit]", "runtime error", "not enough memory")


class Fuzz:
    """A Gatepost with one server that the caller may use in part, and one that it may not use."""

    def __init__(self, stack: Stack, recorder: Recorder) -> None:
        self.stack, self.recorder = stack, recorder
        origin = recorder.url.removesuffix("/mcp")
        stack.register(SLUG, f"{origin}/mcp/{SLUG}", bearer=UPSTREAM_SECRET)
        stack.register("hidden", f"{origin}/mcp/hidden", bearer=UPSTREAM_SECRET)
        stack.api("POST", f"/api/servers/{SLUG}/refresh", expect=200)
        stack.scope(SLUG, SLUG, tools=["allowed"], prompts=["allowed"], resources=["res://allowed"])
        self.token = stack.token(SLUG)
        self.session = self._open_session()
        self.worker = worker_of(stack)
        self.wire = Wire(stack.url)
        self.statuses: Counter[int | None] = Counter()
        self.reached = 0
        recorder.received.clear()

    def _open_session(self) -> str:
        """The id of a session as the gateway gives it to a client."""
        headers = {"Content-Type": "application/json", "Mcp-Session-Id": SESSION}
        self.recorder.answer = Answer(headers=headers)
        params = {"protocolVersion": "2025-11-25", "capabilities": {}}
        params |= {"clientInfo": {"name": "fuzz", "version": "1"}}
        answer = httpx2.post(
            f"{self.stack.url}/mcp/{SLUG}",
            json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params},
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/json, text/event-stream",
            },
        )
        return str(answer.headers["Mcp-Session-Id"])

    def try_one(self, request: Request) -> None:
        """Send it, and look at all that came of it."""
        status = self.wire.send(request)
        self.statuses[status] += 1
        received = self.recorder.received[:]
        self.recorder.received.clear()
        self.reached += len(received)
        sealed = SESSION if self.session != SESSION else None
        for one in received:
            why = judge.complaint(one, self.token, sealed)
            assert why is None, f"{why}: {one}"
        assert len(received) <= 1, f"one request became {len(received)}: {received}"
        assert status is not None or not request.framed, f"no answer: {self.wire.why}"
        assert status is None or status < 500, f"status {status}"

    def check_gateway(self) -> None:
        """The worker is the same, and NGINX has nothing to complain of."""
        assert worker_of(self.stack) == self.worker, "the worker died"
        log = self.stack.file("nginx", "logs", "error.log").read_text(errors="replace")
        lines = [line for line in log.splitlines() if any(word in line for word in BAD)]
        assert not lines, lines[:3]


def main() -> int:
    """Fuzz, print, judge; 1 where something was found."""
    parser = argparse.ArgumentParser(prog="tests/run fuzz", description="Fuzz the running gateway.")
    parser.add_argument("--requests", type=int, default=20_000, help="how many at least; 20000")
    parser.add_argument("--seed", type=int, default=None, help="to repeat a run; any by default")
    options = parser.parse_args()
    if find() is None:
        print("fuzz: no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
        return 1
    number = random.randrange(2**31) if options.seed is None else options.seed
    print(f"fuzz: seed {number}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gatepost-fuzz-") as folder:
        recorder = Recorder()
        stack = Stack.start(Path(folder))
        try:
            fuzz = Fuzz(stack, recorder)
            before, began = memory.resident(fuzz.worker), time.monotonic()
            while sum(fuzz.statuses.values()) < options.requests:
                go_through(fuzz, number, min(ROUND, options.requests))
                number += 1
                print(f"fuzz: {sum(fuzz.statuses.values())} in {time.monotonic() - began:.0f} s", flush=True)
            grown = memory.resident(fuzz.worker) - before
        finally:
            stack.stop()
            recorder.stop()
    statuses = {str(status): count for status, count in sorted(fuzz.statuses.items(), key=str)}
    found = {"requests": sum(fuzz.statuses.values()), "reached_upstream": fuzz.reached, "statuses": statuses}
    print(json.dumps({"fuzz": "gateway", **found, "grown_mib": grown >> 20, "ok": True}))
    return 0


def go_through(fuzz: Fuzz, number: int, count: int) -> None:
    """One round of examples. Raises AssertionError with the smallest request that breaks something."""

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(request=requests(fuzz.stack.url.removeprefix("http://"), fuzz.token, fuzz.session))
    def examples(request: Request) -> None:
        fuzz.try_one(request)

    examples()
    fuzz.check_gateway()


if __name__ == "__main__":
    sys.exit(main())
