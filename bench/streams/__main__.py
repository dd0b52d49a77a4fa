"""1000 idle streams and 200 calls a second beside them, on one worker, for a minute.

    python -m bench.streams [--quick] [--json]

Baseline is the same calls, for a third of that, without them. Bars: no failed call, no dropped stream; the
worker's memory for a stream is printed. `--quick` takes 5 s. The exit status is 1 where a bar is missed.
"""

import argparse
import json
import resource
import sys
import time
from typing import Any

from bench import rig
from bench.streams.idle import idle_streams
from tests.e2e import memory
from tests.e2e.faults.processes import worker_of
from tests.e2e.load import Seen, load

STREAMS, CALLERS, RATE = 1000, 40, 200
SECONDS, QUICK_SECONDS = 60, 5


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.streams")
    parser.add_argument("--quick", action="store_true", help="5 s: see that it works")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    _allow_many_connections()
    seconds = QUICK_SECONDS if options.quick else SECONDS
    with rig.running() as parts:
        worker = worker_of(parts.stack)
        with load(parts.good, CALLERS, 0, pause_s=CALLERS / RATE) as baseline:
            time.sleep(seconds / 3)
        before = memory.resident(worker)
        with idle_streams(parts.good, STREAMS) as dropped:
            each = (memory.resident(worker) - before) / STREAMS
            with load(parts.good, CALLERS, 0, pause_s=CALLERS / RATE) as ours:
                time.sleep(seconds)
            same = worker_of(parts.stack) == worker
            each_later = (memory.resident(worker) - before) / STREAMS
    line = summary(ours, baseline, dropped[:], each, each_later, seconds, same_worker=same)
    if not options.json:
        print(
            f"{STREAMS} streams, {len(dropped)} dropped in {seconds} s; {each / 1024:.1f} KiB of the worker "
            f"for each when they are open, {each_later / 1024:.1f} KiB at the end"
        )
        print(
            f"{line['rate']} calls/s beside them, {len(ours.failed)} failed; p99 {line['p99_ms']} ms, "
            f"without them {line['baseline_p99_ms']} ms"
        )
    print(json.dumps(line))
    return 0 if line["ok"] else 1


def summary(
    ours: Seen,
    baseline: Seen,
    dropped: list[str],
    each: float,
    later: float,
    seconds: int,
    *,
    same_worker: bool,
) -> dict[str, Any]:
    """The JSON object; `ours` and `baseline` are failed calls and dropped streams together."""
    lost = len(ours.failed) + len(ours.wrong) + len(dropped)
    rate = round(len(ours.took) / seconds)
    return {
        "bench": "streams",
        "ours": lost,
        "baseline": len(baseline.failed) + len(baseline.wrong),
        "ratio": None,
        "bar": 0,
        "streams": STREAMS,
        "kib_per_stream": round(each / 1024, 1),
        "kib_per_stream_at_the_end": round(later / 1024, 1),
        "rate": rate,
        "p99_ms": rig.p99_ms(ours),
        "baseline_p99_ms": rig.p99_ms(baseline),
        "first_losses": (ours.failed + ours.wrong + dropped)[:3],
        "ok": lost == 0 and same_worker and rate >= 0.9 * RATE,
    }


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
