"""100 changes of servers and scopes while 32 callers and 8 streams go on.

    python -m bench.changes [--quick] [--json]

Baseline is the same load, for as long, without changes. Bars: no failed call, no dropped stream, each change
in force within 2 s of its answer. `--quick` makes 9 changes. The exit status is 1 where a bar is missed.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench import rig
from bench.changes.change import Changes
from tests.e2e.load import Seen, load

CALLERS, STREAMS = 32, 8
CHANGES, BAR_S = 100, 2.0


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.changes")
    parser.add_argument("--quick", action="store_true", help="9 changes: see that it works")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    with rig.running() as parts:
        changes = Changes(parts.stack, parts.good)
        with load(parts.good, CALLERS, STREAMS, pause_s=0.05) as ours:
            began = time.monotonic()
            made = list(make(changes, 9 if options.quick else CHANGES, say=not options.json))
            lasted = time.monotonic() - began
        with load(parts.good, CALLERS, STREAMS, pause_s=0.05) as baseline:
            time.sleep(lasted)
    line = summary(made, ours, baseline)
    if not options.json:
        for name, seen in (("with changes", ours), ("without", baseline)):
            print(
                f"{name:<13} {len(seen.took):>6} calls, {len(seen.failed)} failed, {len(seen.wrong)} wrong; "
                f"{STREAMS} streams, {len(seen.dropped)} dropped; p99 {rig.p99_ms(seen)} ms"
            )
        print(
            f"{len(made)} changes in force after {line['in_force_s']} s at the median, "
            f"{line['slowest_s']} s at the most (bar {BAR_S:g})"
        )
    print(json.dumps(line))
    return 0 if line["ok"] else 1


def make(changes: Changes, count: int, *, say: bool) -> Iterator[float | None]:
    """The seconds after which each change was in force, where a call shows it."""
    cycle = 0
    while True:
        cycle += 1
        for name, make_one in changes.of(f"extra-{cycle}"):
            seconds = make_one()
            if say:
                print(f"{name:<22} {'made' if seconds is None else f'{seconds:5.2f} s'}", flush=True)
            yield seconds
            count -= 1
            if count == 0:
                return


def summary(made: list[float | None], ours: Seen, baseline: Seen) -> dict[str, Any]:
    """The JSON object; `ours` and `baseline` are failed calls and dropped streams together."""
    took = [seconds for seconds in made if seconds is not None]
    lost, lost_without = (len(seen.failed) + len(seen.wrong) + len(seen.dropped) for seen in (ours, baseline))
    return {
        "bench": "changes",
        "ours": lost,
        "baseline": lost_without,
        "ratio": None,
        "bar": 0,
        "changes": len(made),
        "in_force_s": round(median(took), 2),
        "slowest_s": round(max(took), 2),
        "in_force_bar_s": BAR_S,
        "calls": len(ours.took),
        "p99_ms": rig.p99_ms(ours),
        "baseline_p99_ms": rig.p99_ms(baseline),
        "first_losses": (ours.failed + ours.wrong + ours.dropped)[:3],
        "ok": lost == 0 and max(took) <= BAR_S,
    }


if __name__ == "__main__":
    sys.exit(main())
