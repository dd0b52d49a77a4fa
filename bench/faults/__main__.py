"""Calls to a good server while something else is in trouble, beside the same calls without it.

    python -m bench.faults [--quick] [--json]

16 callers and 8 streams at a steady pace; each fault in rounds, a normal one before each. Bars, for the
median round: no wrong answer, no failed call, no dropped stream, p99 at most twice the normal one or 20 ms
more, and the worker never larger than 300 MiB. Where the gateway itself is killed, it is the time until all
is back that counts. `--quick` has one round of a second and judges no p99. The exit status is 1 where a bar
is missed.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench import rig
from bench.faults.faults import KILLED, LASTING, Fault
from tests.e2e import memory
from tests.e2e.faults.processes import worker_of
from tests.e2e.load import STREAMS, Seen, load
from tests.e2e.stack import until

ROUNDS, ROUND_S, SETTLE_S = 3, 3.0, 0.3
FACTOR, ADDED_MS, MOST_MIB, BACK_BAR_S = 2.0, 20.0, 300, 10.0


@dataclass(frozen=True)
class Row:
    """One fault: `p99_ms` while it lasts, `normal_ms` without it, `lost` calls and streams, wrong answers."""

    name: str
    p99_ms: float
    normal_ms: float
    lost: int
    wrong: int
    peak_mib: int
    back_s: float | None = None

    @property
    def bar_ms(self) -> float:
        """The p99 that it must not exceed."""
        return max(FACTOR * self.normal_ms, self.normal_ms + ADDED_MS)

    @property
    def sound(self) -> bool:
        """Whether nothing went wrong, whatever the time it took."""
        if self.back_s is not None:
            return self.wrong == 0 and self.back_s <= BACK_BAR_S
        return self.lost == self.wrong == 0 and self.peak_mib <= MOST_MIB

    @property
    def ok(self) -> bool:
        """Whether every bar holds."""
        return self.sound and (self.back_s is not None or self.p99_ms <= self.bar_ms)

    def text(self) -> str:
        """For people."""
        ends = "" if self.ok else "  MISSED"
        if self.back_s is not None:
            return f"{self.name:<42} back after {self.back_s:.1f} s, {self.wrong} wrong{ends}"
        p99 = f"p99 {self.p99_ms:6.1f} ms, normal {self.normal_ms:6.1f}, bar {self.bar_ms:6.1f}"
        return f"{self.name:<42} {p99}; {self.lost} lost, {self.wrong} wrong, {self.peak_mib} MiB{ends}"


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults")
    parser.add_argument("--quick", action="store_true", help="one second each: see that it works")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    rows = []
    with rig.running() as parts:
        for name in (*LASTING, *KILLED):
            if name in KILLED:
                row = come_back(parts, name)
            else:
                rounds = (1, 1.0) if options.quick else (ROUNDS, ROUND_S)
                row = compare(parts, name, LASTING[name], *rounds)
            rows.append(row)
            if not options.json:
                print(row.text(), flush=True)
    line = summary(rows, quick=options.quick)
    print(json.dumps(line))
    return 0 if line["ok"] else 1


def compare(parts: rig.Rig, name: str, fault: Fault, rounds: int, seconds: float) -> Row:
    """Rounds without the fault and with it, in turn."""
    normal, during = [], []
    lost, wrong = 0, 0
    worker = worker_of(parts.stack)
    memory.forget_peak(worker)
    for _ in range(rounds):
        with load(parts.good) as seen:
            time.sleep(seconds)
        normal.append(rig.p99_ms(seen))
        with load(parts.good) as seen:
            since = time.monotonic()
            with fault(parts):
                time.sleep(seconds)
        during.append(rig.p99_ms(seen, since))
        lost += len(seen.failed) + len(seen.dropped)
        wrong += len(seen.wrong)
        until(lambda: parts.stack.api("GET", "/readyz").status_code == 200, what="readiness")
    peak = memory.peak(worker) >> 20
    return Row(name, median(during), median(normal), lost, wrong, peak)


def come_back(parts: rig.Rig, name: str) -> Row:
    """Kill it under load, and wait for calls and every stream."""
    with load(parts.good) as seen:
        time.sleep(SETTLE_S)
        began = time.monotonic()
        KILLED[name](parts)
        until(lambda: _is_back(seen, began), 60, "the return")
        back = time.monotonic() - began
        time.sleep(SETTLE_S)
    lost = len(seen.failed) + len(seen.dropped)
    return Row(name, 0.0, 0.0, lost, len(seen.wrong), memory.resident(worker_of(parts.stack)) >> 20, back)


def _is_back(seen: Seen, since: float) -> bool:
    return seen.open_streams >= 2 * STREAMS and seen.took[-1][0] > since


def summary(rows: list[Row], *, quick: bool) -> dict[str, Any]:
    """The JSON object; the headline is the fault that comes nearest to its bar, or is furthest beyond it."""
    worst = max((row for row in rows if row.back_s is None), key=lambda row: row.p99_ms / row.bar_ms)
    return {
        "bench": "faults",
        "ours": worst.p99_ms,
        "baseline": worst.normal_ms,
        "ratio": round(worst.p99_ms / worst.normal_ms, 2),
        "bar": round(worst.bar_ms, 1),
        "worst": worst.name,
        "quick": quick,
        "faults": [asdict(row) for row in rows],
        "ok": all(row.sound if quick else row.ok for row in rows),
    }


if __name__ == "__main__":
    sys.exit(main())
