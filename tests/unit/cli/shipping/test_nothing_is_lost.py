"""Whatever happens between NGINX, the shipper and the registry: each whole line arrives, and no other."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from app.cli.shipping.batch import BATCH_BYTES
from app.cli.shipping.intake import NotTakenError
from tests.unit.cli.shipping.shelf import KilledError, Log

LETTERS = st.sampled_from([0, 1, 2, 300, 301, BATCH_BYTES // 2, BATCH_BYTES + 1])


class Shipping(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.log = Log(Path(self.folder.name))
        self.shipper = self.log.shipper()
        self.repeats = 0

    @rule(count=st.integers(1, 30), letters=LETTERS)
    def write(self, count: int, letters: int) -> None:
        self.log.write(min(count, 3) if letters > 300 else count, letters)

    @rule(letters=LETTERS, share=st.floats(0, 1))
    def tear(self, letters: int, share: float) -> None:
        self.log.tear(letters, share)

    @rule()
    def lose(self) -> None:
        self.log.lose()

    @precondition(lambda self: self.log.path.exists())
    @rule()
    def rename(self) -> None:
        self.log.finish()
        self.log.rename()

    @precondition(lambda self: self.log.path.exists())
    @rule()
    def copy_and_truncate(self) -> None:
        self.log.finish()
        self.log.copy_and_truncate()
        self.repeats += 1

    @rule(fault=st.sampled_from([None, None, "away", "answer lost", "killed"]))
    def look(self, fault: str | None) -> None:
        self.log.shelf.fault = fault
        self.repeats += fault in ("answer lost", "killed")
        try:
            self.shipper.look()
        except NotTakenError:
            pass
        except KilledError:
            self.shipper = self.log.shipper()

    @rule()
    def start_again(self) -> None:
        self.shipper = self.log.shipper()

    @rule()
    def lose_the_place(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.log.place.unlink()
        self.shipper = self.log.shipper()
        self.repeats += 1

    def teardown(self) -> None:
        self.log.finish()
        self.log.shelf.fault = None
        self.shipper.look()
        with self.folder:
            assert sorted(self.log.shelf.sent) == sorted(self.log.whole)
            assert max(self.log.shelf.sent.values(), default=0) <= 1 + self.repeats


class TestShipping(Shipping.TestCase):
    settings = settings(max_examples=100, stateful_step_count=25, deadline=None)


@pytest.fixture(autouse=True)
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.shipping.shipper.REST", 0)
