"""From interleaved runs to figures: medians, ratios, and whether the bar holds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.gateway.load import Sample, Target, run

Runs = tuple[list[Sample], list[Sample]]
"""Of the baseline and of ours, in the order in which they ran."""


@dataclass(frozen=True)
class Figure:
    """One comparison. `bar` bounds `compared`, the ratio or the difference; None where it only informs."""

    name: str
    unit: str
    ours: float
    baseline: float
    compared: float
    bar: float | None
    ok: bool
    details: dict[str, float]

    def row(self) -> str:
        """For people."""
        added = self.unit == "ms"
        compared = f"{self.compared:+.3f} ms" if added else f"{self.compared:.1%}"
        bar = "" if self.bar is None else f"(bar {self.bar if added else format(self.bar, '.0%')})"
        verdict = "" if self.ok else "  MISSED"
        details = ", ".join(f"{name} {value:g}" for name, value in self.details.items())
        values = f"{self.ours:>9,.6g} of {self.baseline:>9,.6g} {self.unit}"
        return f"{self.name:<44} {values:<32} {compared:>10} {bar:<10} {details}{verdict}"

    def document(self) -> dict[str, Any]:
        """For programs: the comparison by its own name."""
        members = {**asdict(self), ("added_p50_ms" if self.unit == "ms" else "ratio"): self.compared}
        del members["compared"]
        return members


def interleaved(baseline: Target, ours: Target, connections: int, seconds: int, rounds: int) -> Runs:
    """Baseline and ours in turn, so that whatever else the machine does meets both. Raises WrongAnswerError."""
    runs: Runs = ([], [])
    for _ in range(rounds):
        for samples, target in zip(runs, (baseline, ours), strict=True):
            samples.append(run(target, connections, seconds))
    return runs


def throughput(name: str, runs: Runs, bar: float | None) -> Figure:
    """Calls a second, ours as a share of the baseline's; beside it the CPU of a call where it was measured."""
    baseline, ours = (median(sample.rate for sample in samples) for samples in runs)
    ratio = round(ours / baseline, 3)
    return Figure(
        name, "calls/s", round(ours), round(baseline), ratio, bar, bar is None or ratio >= bar, _cost(runs)
    )


def added_p50(name: str, runs: Runs, bar: float | None) -> Figure:
    """Median latency in ms, and what ours adds to it."""
    baseline, ours = (median(sample.p50_ms for sample in samples) for samples in runs)
    added = round(ours - baseline, 3)
    return Figure(
        name, "ms", round(ours, 3), round(baseline, 3), added, bar, bar is None or added <= bar, _cost(runs)
    )


def _cost(runs: Runs) -> dict[str, float]:
    found: dict[str, float] = {}
    for side, samples in zip(("plain", "ours"), runs, strict=True):
        costs = [sample.cpu_us for sample in samples if sample.cpu_us is not None]
        loads = [sample.busy for sample in samples if sample.busy is not None]
        if costs:
            found[f"cpu_us_{side}"] = round(median(costs), 1)
            found[f"busy_{side}"] = round(median(loads), 2)
    return found


def calls_of(samples: Sequence[Sample]) -> int:
    """How many calls the runs made."""
    return sum(sample.calls for sample in samples)
