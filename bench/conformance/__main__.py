"""The official conformance suite against a server of the `mcp` SDK, directly and through the gateway.

    bench/conformance/run [--json]

runs the server scenarios that the revisions 2025-11-25 and 2026-07-28 require, and those that they do not
score. Both columns must pass every required check, none skipped, and be equal in all checks. `--json` prints
the last line alone. The exit status is 1 where a check is missing or differs.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from app.cli.nginx import find
from bench.conformance import bed, suite
from bench.conformance.compare import Columns
from tests.e2e.stack import Stack


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(
        prog="bench/conformance/run", description="The conformance suite, twice."
    )
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    program, nginx = suite.program(), find()
    if not program:
        sys.exit("bench/conformance: no suite: install npm, then call bench/conformance/run")
    if not nginx:
        sys.exit("bench/conformance: no NGINX with Lua: tests/run setup says what to install")
    found: list[Columns] = []
    with ExitStack() as parts:
        temporary = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="gatepost-conformance-")))
        stack = Stack.start(temporary)
        parts.callback(stack.stop)
        for columns in bed.both(program, nginx, stack, temporary):
            found.append(columns)
            if not options.json:
                print("\n".join(columns.rows()), end="\n\n", flush=True)
    if not options.json:
        report(found)
    result = summary(found)
    print(json.dumps(result))
    return 0 if result["ok"] else 1


def report(found: Sequence[Columns]) -> None:
    """Print what is wrong, and the list of differences."""
    for title, lines in (
        ("required, but not passed", [line for columns in found for line in columns.faults()]),
        ("differences", [line for columns in found for line in columns.differences()]),
    ):
        print(f"{title}: {len(lines) or 'none'}")
        for line in lines:
            print(f"  {line}")


def summary(found: Sequence[Columns]) -> dict[str, Any]:
    """The JSON object: checks of the required scenarios that passed, through the gateway and directly."""
    sets = [columns.document() for columns in found]
    ours, baseline = (sum(int(str(one[column])) for one in sets) for column in ("gateway", "direct"))
    return {
        "bench": "conformance",
        "ours": ours,
        "baseline": baseline,
        "ratio": round(ours / baseline, 4) if baseline else 0,
        "bar": 1,
        "ok": all(columns.ok() for columns in found),
        "sets": sets,
        "differences": [line for columns in found for line in columns.differences()],
    }


if __name__ == "__main__":
    sys.exit(main())
