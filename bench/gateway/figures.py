"""From interleaved runs to figures: medians, ratios, and whether the bar holds."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.gateway.load import Sample, Target, run

SATURATED = 0.85
"""Of one core: a worker that had less waited for the load or for a core, so its rate says little of it."""


@dataclass(frozen=True)
class Runs:
    """What baseline and ours gave, in the order in which they ran."""

    baseline: list[Sample]
    ours: list[Sample]

    @property
    def undisturbed(self) -> "Runs":
        """The rounds whose baseline had a core to itself; how ours did chooses none, so none flatters."""
        pairs = zip(self.baseline, self.ours, strict=True)
        rounds = [pair for pair in pairs if _busy(pair[0]) >= SATURATED]
        return Runs([baseline for baseline, _ in rounds], [ours for _, ours in rounds])

    def medians(self, measure: Callable[[Sample], float]) -> tuple[float, float]:
        """Of the baseline and of ours."""
        return median(map(measure, self.baseline)), median(map(measure, self.ours))

    @property
    def calls(self) -> int:
        """How many calls ours answered."""
        return sum(sample.calls for sample in self.ours)


@dataclass(frozen=True)
class Figure:
    """One comparison: `bar` bounds the ratio from below, or the added ms from above.

    `cpu_us` are µs of a worker a call and `busy` the share of a core it had, baseline first.
    """

    name: str
    unit: str
    ours: float
    baseline: float
    ratio: float | None
    added_p50_ms: float | None
    bar: float
    ok: bool
    cpu_us: tuple[float, float]
    busy: tuple[float, float]

    def row(self) -> str:
        """For people."""
        if self.ratio is None:
            compared = f"{self.added_p50_ms:+.3f} ms (bar {self.bar:g})"
            values = f"{self.ours:.3f} of {self.baseline:.3f} ms"
        else:
            compared = f"{self.ratio:.1%} (bar {self.bar:.0%})"
            values = f"{self.ours:,} of {self.baseline:,}/s"
        baseline, ours = self.cpu_us
        cost = f"CPU {ours} µs a call beside {baseline}: {baseline / ours:.0%}"
        notes = ("" if self.ok else "  MISSED") + ("" if self.saturated else "  (worker not saturated)")
        return f"{self.name:<45} {values:<20} {compared:<20} {cost}{notes}"

    @property
    def saturated(self) -> bool:
        """Whether a ratio of rates says what the workers can do; always true where it is not about that."""
        return self.ratio is None or min(self.busy) >= SATURATED

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "saturated": self.saturated}


def interleaved(targets: tuple[Target, Target], connections: int, rounds: int, spare: int = 0) -> Runs:
    """Baseline and ours in turn: what else the machine does meets both.

    At most `spare` rounds follow, until as many as `rounds` were undisturbed. Raises WrongAnswerError.
    """
    runs = Runs([], [])
    baseline, ours = targets
    for done in range(rounds + spare):
        if done >= rounds and len(runs.undisturbed.ours) >= rounds:
            break
        runs.baseline.append(run(baseline, connections))
        runs.ours.append(run(ours, connections))
    return runs


def throughput(name: str, runs: Runs, bar: float) -> Figure:
    """Calls a second, ours as a share of the baseline's; beside it what a call costs its worker.

    Disturbed rounds do not count, as long as there are others.
    """
    runs = runs.undisturbed if runs.undisturbed.ours else runs
    baseline, ours = runs.medians(lambda sample: sample.rate)
    ratio = round(ours / baseline, 3)
    return Figure(name, "calls/s", round(ours), round(baseline), ratio, None, bar, ratio >= bar, *_cost(runs))


def added_p50(name: str, runs: Runs, bar: float) -> Figure:
    """Median latency in ms, and what ours adds to it."""
    baseline, ours = runs.medians(lambda sample: sample.p50_ms)
    added = round(ours - baseline, 3)
    return Figure(
        name, "ms", round(ours, 3), round(baseline, 3), None, added, bar, added <= bar, *_cost(runs)
    )


def _cost(runs: Runs) -> tuple[tuple[float, float], tuple[float, float]]:
    cpu = runs.medians(lambda sample: sample.cpu_s / sample.calls * 1e6)
    busy = runs.medians(_busy)
    return (round(cpu[0], 1), round(cpu[1], 1)), (round(busy[0], 2), round(busy[1], 2))


def _busy(sample: Sample) -> float:
    return sample.cpu_s / sample.seconds
