"""Tool calls through the real gateway beside plain NGINX proxying, and in front of an `mcp` SDK server.

    bench/gateway/run [--quick] [--json]

needs nothing but the checkout: it runs in the environment of `tests/run`, where `python -m bench.gateway` is
the same. Ours is `gatepost up` with one worker, all checks and the audit file on; the baseline is plain
NGINX, one worker of the same binary, with keepalive and an access log. Both proxy to one static backend, in
turn, and medians count.
`--quick` runs each figure once for a second, to see that it works: too short to judge, so no bar fails it.
`--json` prints the last line alone. The exit status is 1 where a bar is missed, 2 for a call answered wrong.
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.gateway import bed, figures
from bench.gateway.calls import Content, Credential, Era
from bench.gateway.figures import Figure
from bench.gateway.load import WrongAnswerError

CONNECTIONS = 32
BAR, GOAL, ADDED_BAR_MS, SDK_BAR = 0.70, 0.80, 0.1, 0.95
SERVERS_A_TOKEN = 4
DEADLINE_S = 300


@dataclass(frozen=True)
class Length:
    """Rounds of baseline and ours; `spare` ones for those that a neighbour on the machine disturbed."""

    rounds: int
    spare: int
    latency_rounds: int


FULL, QUICK = Length(rounds=7, spare=4, latency_rounds=5), Length(rounds=1, spare=0, latency_rounds=1)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="bench/gateway/run", description="Tool calls beside plain NGINX.")
    parser.add_argument("--quick", action="store_true", help="one second a run: see that it works, no bar")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: sys.exit(f"bench/gateway: ended by signal {got}"))
    signal.alarm(DEADLINE_S)
    found: list[Figure] = []
    try:
        with bed.running() as parts:
            for figure in measure(parts, QUICK if options.quick else FULL):
                found.append(figure)
                if not options.json:
                    print(figure.row(), flush=True)
    except WrongAnswerError as error:
        print(f"bench/gateway: {error}", file=sys.stderr)
        return 2
    result = summary(found, quick=options.quick)
    print(json.dumps(result))
    return 0 if result["ok"] or options.quick else 1


def measure(parts: bed.Bed, length: Length) -> Iterator[Figure]:
    """Every figure, the headline first. Raises WrongAnswerError."""
    one = [Credential(parts.slugs[0], parts.tokens[0])]
    tokens = [Credential(parts.slugs[0], token) for token in parts.tokens]
    both = [
        Credential(parts.slugs[(place * SERVERS_A_TOKEN + step) % len(parts.slugs)], token)
        for step in range(SERVERS_A_TOKEN)
        for place, token in enumerate(parts.tokens)
    ]
    for era, content, rotation, callers in (
        (Era.LEGACY, Content.SMALL, "1 token", one),
        (Era.MODERN, Content.SMALL, "1 token", one),
        (Era.LEGACY, Content.LINE, "1 token", one),
        (Era.LEGACY, Content.TEXT, "1 token", one),
        (Era.LEGACY, Content.RECORDS, "1 token", one),
        (Era.LEGACY, Content.SMALL, f"{len(tokens)} tokens", tokens),
        (Era.LEGACY, Content.SMALL, f"{len(tokens)} tokens, {len(parts.slugs)} servers", both),
    ):
        runs = _compare(parts, era, content, callers, CONNECTIONS, length.rounds, length.spare)
        yield figures.throughput(f"c={CONNECTIONS}: {content}, {era}, {rotation}", runs, BAR)
    for era, content in (
        (Era.LEGACY, Content.SMALL),
        (Era.MODERN, Content.SMALL),
        (Era.LEGACY, Content.TEXT),
    ):
        runs = _compare(parts, era, content, one, 1, length.latency_rounds, 0)
        yield figures.added_p50(f"c=1: {content}, {era}", runs, ADDED_BAR_MS)
    runs = figures.interleaved(parts.sdk_targets(), CONNECTIONS, length.rounds, length.spare)
    yield figures.throughput(f"c={CONNECTIONS}: SDK server, 300 B, modern", runs, SDK_BAR)


def _compare(
    parts: bed.Bed,
    era: Era,
    content: Content,
    callers: Sequence[Credential],
    connections: int,
    rounds: int,
    spare: int,
) -> figures.Runs:
    parts.warm(callers)
    targets = parts.targets(era, content, callers)
    runs = figures.interleaved(targets, connections, rounds, spare)
    parts.check_audit(len(callers) + runs.calls, cut_off=connections * len(runs.ours))
    return runs


def summary(found: Sequence[Figure], *, quick: bool) -> dict[str, Any]:
    """The JSON object: the headline is the first figure; `ok` says that every bar holds."""
    headline = found[0]
    added = next(figure for figure in found if figure.added_p50_ms is not None)
    return {
        "bench": "gateway",
        "ours": headline.ours,
        "baseline": headline.baseline,
        "ratio": headline.ratio,
        "bar": BAR,
        "goal": GOAL,
        "ok": all(figure.ok for figure in found),
        "quick": quick,
        "added_p50_ms": added.added_p50_ms,
        "sdk_share": found[-1].ratio,
        "figures": [figure.document() for figure in found],
    }


if __name__ == "__main__":
    sys.exit(main())
