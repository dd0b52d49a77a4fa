"""The official conformance suite against a server of the SDK, directly and through the gateway."""

from collections.abc import Sequence

import pytest

from app.cli.nginx import find
from bench.conformance import bed, suite
from bench.conformance.compare import Columns
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def columns(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Columns]:
    program, nginx = suite.program(), find()
    if not program:
        pytest.skip("no conformance suite: `tests/run e2e` installs it, with npm")
    assert nginx, "the stack runs on an NGINX that is no longer found"
    return list(bed.both(program, nginx, stack, tmp_path_factory.mktemp("conformance")))


def test_both_revisions_are_required_in_full(columns: Sequence[Columns]) -> None:
    required = {one.revision: set(one.required) for one in columns}
    assert required.keys() == set(suite.REVISIONS)
    assert {"server-initialize", "tools-call-sampling"} <= required["2025-11-25"]
    assert {"server-stateless", "input-required-result-multi-round"} <= required["2026-07-28"]


def test_every_required_check_passes_directly_and_through_the_gateway(columns: Sequence[Columns]) -> None:
    faults = [fault for one in columns for fault in one.faults()]
    assert not faults, "\n".join(faults)
    assert [(one.direct.exit_code, one.gateway.exit_code) for one in columns] == [(0, 0), (0, 0)]


def test_no_check_comes_out_otherwise_through_the_gateway(columns: Sequence[Columns]) -> None:
    differences = [difference for one in columns for difference in one.differences()]
    assert not differences, "\n".join(differences)
