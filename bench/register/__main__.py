"""1 000 servers registered by the REST API, 32 at a time, then listed, on each store in turn."""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.stack import Stack
from tests.mongodb.server import MongoServer

AT_ONCE, LISTS, BAR_MS, LOOKS_S = 32, 200, 10.0, 600.0
CLOSED = "http://127.0.0.1:9/mcp"  # each is looked at after its registration, and found away at once


@dataclass(frozen=True)
class Figures:
    """Times in milliseconds, of one request each."""

    failures: int
    per_second: float
    register_p50: float
    register_p99: float
    list_p50: float
    list_p99: float


def document(number: int) -> dict[str, Any]:
    return {
        "name": f"com.example/server-{number:04}",
        "description": f"Server {number} of many, which does what the others do",
        "version": "1.0.0",
        "remotes": [{"type": "streamable-http", "url": CLOSED}],
        "_meta": {"dev.gatepost/server": {"slug": f"server-{number:04}", "tags": ["bench"]}},
    }


async def register(http: httpx2.AsyncClient, count: int) -> tuple[int, float, list[float]]:
    numbers, took, failures = iter(range(count)), list[float](), 0

    async def work() -> None:
        nonlocal failures
        for number in numbers:
            begun = time.perf_counter()
            answer = await http.post("/api/servers", json=document(number))
            took.append((time.perf_counter() - begun) * 1000)
            failures += answer.status_code != 201

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return failures, count / (time.perf_counter() - begun), took


async def looked_at(http: httpx2.AsyncClient, count: int) -> None:
    """Wait until each of these servers was looked at."""
    end = time.monotonic() + LOOKS_S
    while time.monotonic() < end:
        answer = await http.get("/api/servers?limit=1000")
        if answer.is_success:
            states = [item["gatepost"]["health"]["state"] for item in answer.json()["items"]]
            if len(states) == count and "unknown" not in states:
                return
        await asyncio.sleep(1)
    raise TimeoutError(f"not all of {count} servers were looked at within {LOOKS_S:.0f} s")


async def lists(http: httpx2.AsyncClient) -> list[float]:
    took: list[float] = []
    for _ in range(LISTS):
        begun = time.perf_counter()
        answer = await http.get("/api/servers")
        answer.raise_for_status()
        took.append((time.perf_counter() - begun) * 1000)
    return took


async def measure(stack: Stack, count: int) -> Figures:
    bearer = {"Authorization": f"Bearer {stack.file('secrets', 'cli_token').read_text().strip()}"}
    async with httpx2.AsyncClient(base_url=stack.url, headers=bearer, timeout=60) as http:
        failures, rate, registered = await register(http, count)
        await looked_at(http, count - failures)
        listed = await lists(http)
    return Figures(failures, round(rate, 1), *_middle_and_end(registered), *_middle_and_end(listed))


def _middle_and_end(took: list[float]) -> tuple[float, float]:
    return round(statistics.median(took), 1), round(statistics.quantiles(took, n=100)[98], 1)


def on(folder: Path, count: int, **settings: str) -> Figures:
    folder.mkdir()
    stack = Stack.start(folder, **settings)
    try:
        return asyncio.run(measure(stack, count))
    finally:
        stack.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 servers; judges nothing")
    count = 100 if parser.parse_args().quick else 1000
    folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-"))
    database = MongoServer(folder / "database")
    try:
        database.start()
        found = {"sqlite": on(folder / "one", count)}
        found["ferretdb"] = on(folder / "two", count, GATEPOST_MONGODB_URI=database.database("bench"))
        if uri := os.environ.get("TEST_MONGO_URI"):
            prefix = f"bench{time.time_ns()}_"
            given = {"GATEPOST_MONGODB_URI": uri, "GATEPOST_MONGODB_COLLECTION_PREFIX": prefix}
            found["mongodb"] = on(folder / "three", count, **given)
    finally:
        database.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for store, figures in found.items():
        print(f"{store:10}", *(f"{name} {value}" for name, value in asdict(figures).items()), sep="   ")
    ok = all(one.failures == 0 and one.list_p50 <= BAR_MS for one in found.values())
    ours, baseline = found["ferretdb"].per_second, found["sqlite"].per_second
    shown = {name: asdict(figures) for name, figures in found.items()}
    last = {"bench": "register", "ours": ours, "baseline": baseline, "ratio": round(ours / baseline, 3)}
    print(json.dumps({**last, "bar": "0 failures, list p50 <= 10 ms", "ok": ok, "stores": shown}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
