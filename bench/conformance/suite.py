"""The official conformance suite as a program: which scenarios a revision requires, and what came out."""

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

REVISIONS = ("2025-11-25", "2026-07-28")
FOLDER = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
TIMEOUT_S = 120
TIMED_OUT = 124

Check = tuple[str, str]
"""A check's id and its status."""


@dataclass(frozen=True)
class Outcome:
    """One scenario's checks, without those that only inform, and why those failed that did, by id."""

    checks: Counter[Check]
    reasons: Mapping[str, str]

    def count(self, status: str) -> int:
        """How many checks ended so."""
        return sum(number for (_, got), number in self.checks.items() if got == status)

    def __str__(self) -> str:
        return "/".join(str(self.count(status)) for status in ("SUCCESS", "FAILURE", "SKIPPED", "WARNING"))


@dataclass(frozen=True)
class Run:
    """One requirement set against one address; `outcomes` by scenario, `text` is what the suite printed."""

    outcomes: Mapping[str, Outcome]
    exit_code: int
    text: str = field(repr=False)


def program() -> Path | None:
    """The suite that `bench/conformance/install` brought, if any."""
    named = os.environ.get("CONFORMANCE_SUITE")
    return Path(named) if named else None


def required(suite: Path, revision: str) -> list[str]:
    """The server scenarios that a revision requires, in the suite's order."""
    command: list[str | Path] = [suite, "list", "--server", "--requirements", revision]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    servers = done.stdout.partition("Server scenarios")[2].partition("Client scenarios")[0]
    return re.findall(r"^ +- (\S+)", servers, re.MULTILINE)


def run(suite: Path, revision: str, url: str, folder: Path) -> Run:
    """Run the requirement set of a revision, and what it does not score, with `folder` for the results."""
    command: list[str | Path] = [suite, "server", "--url", url, "--requirements", revision, "-o", folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return Run(_outcomes(folder), TIMED_OUT, f"the suite did not end in {TIMEOUT_S} s")
    return Run(_outcomes(folder), done.returncode, done.stdout + done.stderr)


def _outcomes(folder: Path) -> dict[str, Outcome]:
    found = {}
    for file in sorted(folder.glob("*/checks.json"), key=lambda file: file.stat().st_mtime_ns):
        name = FOLDER.fullmatch(file.parent.name)
        assert name, f"{file.parent} is not named as the suite names its results"
        checks = json.loads(file.read_text())
        told = Counter((check["id"], check["status"]) for check in checks if check["status"] != "INFO")
        reasons = {check["id"]: check["errorMessage"] for check in checks if check.get("errorMessage")}
        found[name["scenario"]] = Outcome(told, reasons)
    return found
