import json
import os
from collections.abc import Callable
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.shipping.batch import BATCH_BYTES, Batch, next_batch

LONGEST = 4 * BATCH_BYTES
Written = Callable[[bytes], BinaryIO]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    path = tmp_path_factory.mktemp("batch") / "audit.jsonl"

    def write(content: bytes) -> BinaryIO:
        path.write_bytes(content)
        return os.fdopen(os.open(path, os.O_RDONLY), "rb")

    return write


def long_line(letters: int) -> bytes:
    members = {"time": "2026-01-31T12:00:00Z", "request_id": "long", "tool": "x" * letters}
    return json.dumps(members).encode() + b"\n"


@given(
    st.lists(st.binary(max_size=5).filter(lambda line: b"\n" not in line), max_size=5), st.binary(max_size=5)
)
def test_whole_lines_are_taken_and_a_torn_one_waits(
    written: Written, lines: list[bytes], torn: bytes
) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    torn = torn.replace(b"\n", b"")
    with written(whole + torn) as file:
        assert next_batch(file, 0, LONGEST) == (Batch(whole, len(whole)) if whole else None)
        assert next_batch(file, len(whole), LONGEST) is None
        at_last = next_batch(file, len(whole), LONGEST, settled=True)
        assert at_last == (Batch(torn + b"\n", len(whole + torn)) if torn else None)


def test_much_is_taken_in_several_batches_of_a_bounded_size(written: Written) -> None:
    content = b"".join(b"%d\n" % n for n in range(200_000))
    found, offset = b"", 0
    with written(content) as file:
        while batch := next_batch(file, offset, LONGEST):
            assert len(batch.lines) <= BATCH_BYTES
            found, offset = found + batch.lines, batch.end
    assert found == content


def test_a_long_line_is_cut_to_what_the_registry_keeps(written: Written) -> None:
    line = long_line(2 * BATCH_BYTES)
    with written(b"before\n" + line + b"after\n") as file:
        batch = next_batch(file, 7, LONGEST)
        assert batch is not None
        assert (len(batch.lines) < 4096, batch.end, batch.left_out) == (True, 7 + len(line), 0)
        assert json.loads(batch.lines)["request_id"] == "long"


@pytest.mark.parametrize("line", [b"x" * 2 * BATCH_BYTES + b"\n", long_line(LONGEST)])
def test_a_long_line_that_is_broken_or_endless_is_left_out(written: Written, line: bytes) -> None:
    with written(line + b"after\n") as file:
        batch = next_batch(file, 0, LONGEST)
        assert batch == Batch(b"", min(len(line), LONGEST), left_out=1)


def test_a_long_line_that_is_not_whole_yet_waits(written: Written) -> None:
    with written(long_line(2 * BATCH_BYTES)[:-1]) as file:
        assert next_batch(file, 0, LONGEST) is None
