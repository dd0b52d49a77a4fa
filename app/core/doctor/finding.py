from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How much a finding matters: an error stops something from working, or will."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what there is, and what to do where it is not as it should be."""

    check: str
    state: State
    found: str
    fix: str = ""
