"""What the benches under load share: a Gatepost of one worker before a good server, and a load's figures."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.attach import Attach, attaching
from tests.e2e.load import Seen, Target
from tests.e2e.stack import Stack


@dataclass(frozen=True)
class Rig:
    """`attach` puts a server in trouble beside the good one."""

    stack: Stack
    good: Target
    attach: Attach


@contextmanager
def running(**settings: str) -> Iterator[Rig]:
    """Everything, in a temporary folder, as long as the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-"))
    try:
        stack = Stack.start(folder, **settings)
        try:
            with attaching(stack) as attach:
                yield Rig(stack, attach("good"), attach)
        finally:
            stack.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def p99_ms(seen: Seen, since: float = 0.0) -> float:
    """Of the calls that were sent from that moment on and answered."""
    took = sorted(seconds for sent, seconds in seen.took if sent >= since)
    assert took, "no call was answered"
    return round(took[len(took) * 99 // 100] * 1000, 1)
