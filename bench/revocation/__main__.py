"""Until a right that is taken away is gone at two gateways, from calls and from open streams.

    python -m bench.revocation [--quick] [--json]

Ten rights of every kind, one after the other; the slowest counts, from the answer to the change on. Baseline:
until auth itself refuses, asked directly. Bar: 2 s. `--quick` takes one of each. The exit status is 1 where
the bar is missed.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from bench import rig
from tests.e2e.beside import second_gateway, settings_of
from tests.e2e.revoking import KINDS, Right, granted
from tests.e2e.stack import Stack, until
from tests.e2e.watching import call, open_stream

ROUNDS, BAR_S, LONGEST_S = 10, 2.0, 30.0
Seconds = dict[str, float]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.revocation")
    parser.add_argument("--quick", action="store_true", help="one of each: see that it works")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    slowest: dict[str, Seconds] = {}
    with rig.running() as parts, tempfile.TemporaryDirectory(prefix="gatepost-second-") as folder:
        Path(folder).chmod(0o755)
        with second_gateway(parts.stack, Path(folder)) as second, asking(parts.stack) as internal:
            urls = [f"{origin}{parts.good.path}" for origin in (parts.stack.url, second)]
            for kind in KINDS:
                rounds = [
                    measure(parts.stack, internal, urls, parts.good.slug, kind)
                    for _ in range(1 if options.quick else ROUNDS)
                ]
                slowest[kind] = {what: max(took[what] for took in rounds) for what in rounds[0]}
                if not options.json:
                    row = (f"{what} {seconds:5.2f} s" for what, seconds in slowest[kind].items())
                    print(f"{kind:<10}", ", ".join(row), flush=True)
    ours = max(max(took["calls"], took["streams"]) for took in slowest.values())
    line = {
        "bench": "revocation",
        "ours": round(ours, 2),
        "baseline": round(max(took["auth"] for took in slowest.values()), 2),
        "ratio": None,
        "bar": BAR_S,
        "slowest_s": {
            kind: {what: round(seconds, 2) for what, seconds in took.items()}
            for kind, took in slowest.items()
        },
        "ok": ours <= BAR_S,
    }
    print(json.dumps(line))
    return 0 if line["ok"] else 1


def measure(stack: Stack, internal: httpx2.Client, urls: list[str], slug: str, kind: str) -> Seconds:
    """Seconds until auth refuses, both gateways refuse, and the last of two streams breaks off."""
    right = granted(stack, slug, kind)
    for url in urls:
        assert call(url, right) == "ran"
    with open_stream(urls[0], right) as first, open_stream(urls[1], right) as second:
        right.revoke()
        began = time.monotonic()
        auth = _until(began, lambda: not _allowed(internal, slug, right))
        calls = _until(began, lambda: all(call(url, right) == right.rule for url in urls))
        until(lambda: first and second, LONGEST_S, "the ends of the streams")
    return {"auth": auth, "calls": calls, "streams": max(first[0], second[0], began) - began}


def _until(began: float, condition: Callable[[], bool]) -> float:
    until(condition, LONGEST_S, "the refusal")
    return time.monotonic() - began


def asking(stack: Stack) -> httpx2.Client:
    """A client of auth's port for gateways."""
    port = settings_of(stack)["GATEPOST_AUTH_INTERNAL_PORT"]
    secret = stack.file("secrets", "gateway_secret").read_text().strip()
    headers = {"Gatepost-Gateway-Secret": secret}
    return httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20)


def _allowed(auth: httpx2.Client, slug: str, right: Right) -> bool:
    """What auth says of the right now, as it would tell a gateway."""
    headers = {name: value for name, value in right.headers.items() if name == "Authorization"}
    if "Cookie" in right.headers:
        headers["Gatepost-Session"] = right.headers["Cookie"].partition("=")[2]
    answer = auth.get("/internal/verdict", params={"resource": f"/mcp/{slug}"}, headers=headers)
    return answer.status_code == 200 and bool(answer.json()["caller"]["rights"])


if __name__ == "__main__":
    sys.exit(main())
