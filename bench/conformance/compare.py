"""The two columns of a requirement set: what is wrong in either, and where they differ."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.conformance.suite import Outcome, Run

MISSING = Outcome(Counter(), {})


@dataclass(frozen=True)
class Columns:
    """One revision's requirement set, directly and through the gateway."""

    revision: str
    required: Sequence[str]
    direct: Run
    gateway: Run

    def scenarios(self) -> list[str]:
        """Every scenario, the required ones first."""
        ran = [*self.direct.outcomes, *self.gateway.outcomes]
        return list(dict.fromkeys([*self.required, *ran]))

    def rows(self) -> Iterator[str]:
        """A line for each scenario, to be read."""
        yield f"{self.revision:<46} {'direct':>12} {'gateway':>12}   passed/failed/skipped/warned"
        for scenario in self.scenarios():
            note = "" if scenario in self.required else "   not scored"
            direct, gateway = (run.outcomes.get(scenario, "-") for run in (self.direct, self.gateway))
            yield f"  {scenario:<44} {direct!s:>12} {gateway!s:>12}{note}"

    def faults(self) -> list[str]:
        """Every required check that failed or was skipped, and every required scenario that did not run."""
        return [
            f"{self.revision} {column}: {scenario}: {what}"
            for column, run in (("direct", self.direct), ("gateway", self.gateway))
            for scenario, what in _faults(run, self.required)
        ]

    def differences(self) -> list[str]:
        """Every check, required or not, that came out otherwise through the gateway."""
        return [
            f"{self.revision} {scenario}: {' '.join(check)} {side}"
            for scenario in self.scenarios()
            for check, side in _differences(
                self.direct.outcomes.get(scenario, MISSING), self.gateway.outcomes.get(scenario, MISSING)
            )
        ]

    def document(self) -> dict[str, object]:
        """This set as JSON: how many checks of the required scenarios passed in each column."""
        return {
            "revision": self.revision,
            "scenarios": len(self.required),
            "direct": self._passed(self.direct),
            "gateway": self._passed(self.gateway),
            "exit_codes": [self.direct.exit_code, self.gateway.exit_code],
            "differences": len(self.differences()),
        }

    def ok(self) -> bool:
        """Whether all that is required passed in both columns, and the columns are equal."""
        exits = self.direct.exit_code == self.gateway.exit_code == 0
        return exits and bool(self.required) and not self.faults() and not self.differences()

    def _passed(self, run: Run) -> int:
        return sum(run.outcomes.get(scenario, MISSING).count("SUCCESS") for scenario in self.required)


def _faults(run: Run, required: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not run.outcomes:
        yield "the suite ran no scenario", run.text.strip()[-500:]
        return
    for scenario in required:
        outcome = run.outcomes.get(scenario, MISSING)
        if not outcome.checks:
            yield scenario, "no check was made"
        for name, status in outcome.checks:
            if status in ("FAILURE", "SKIPPED"):
                yield scenario, f"{name}: {outcome.reasons.get(name, status)}"


def _differences(direct: Outcome, gateway: Outcome) -> Iterator[tuple[tuple[str, str], str]]:
    for check in sorted((direct.checks - gateway.checks).elements()):
        yield check, "directly alone"
    for check in sorted((gateway.checks - direct.checks).elements()):
        yield check, "through the gateway alone"
