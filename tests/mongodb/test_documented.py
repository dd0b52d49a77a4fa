"""The last part of `tests/run`: all that was sent to a MongoDB server is in docs/documentdb.md."""

import json
import os
import re
from pathlib import Path

import pytest

TABLES = Path(__file__).parents[2] / "docs" / "documentdb.md"
ENVELOPE = {"$db", "lsid"}
Uses = dict[str, set[str]]


def documented(text: str) -> Uses:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", text, re.MULTILINE)
    return {command: set(re.findall(r"`([^`]+)`", features)) for command, features in rows}


def recorded(lines: list[str]) -> Uses:
    found: Uses = {}
    for line in lines:
        shape = json.loads(line)
        found.setdefault(shape["command"], set()).update(set(shape["features"]) - ENVELOPE)
    return found


def missing(uses: Uses, there: Uses) -> list[str]:
    """What of `uses` is not in the other, as words."""
    return [
        " ".join([command, *sorted(features - there.get(command, set()))])
        for command, features in sorted(uses.items())
        if command not in there or features - there[command]
    ]


@pytest.fixture
def sent() -> Uses:
    record = os.environ.get("MONGODB_RECORD")
    if not record or not Path(record).exists():
        pytest.skip("nothing was recorded: `tests/run` sets MONGODB_RECORD for the servers that it starts")
    return recorded(Path(record).read_text().splitlines())


def test_what_is_sent_is_documented(sent: Uses) -> None:
    assert missing(sent, documented(TABLES.read_text())) == []


def test_what_is_documented_is_sent(sent: Uses) -> None:
    if not os.environ.get("MONGODB_RECORD_WHOLE"):
        pytest.skip("only some of the tests ran: `tests/run` without arguments runs all")
    assert missing(documented(TABLES.read_text()), sent) == []


def test_a_command_and_a_feature_that_are_not_documented_are_named() -> None:
    table = documented("| `find` | `filter`, `filter.$gt` | reads | A |\n| `ping` | | A |\n")
    assert table == {"find": {"filter", "filter.$gt"}, "ping": set()}
    lines = [
        '{"command":"find","features":["$db","filter","filter.$where"]}',
        '{"command":"eval","features":[]}',
    ]
    assert missing(recorded(lines), table) == ["eval", "find filter.$where"]
    assert missing(table, recorded(lines)) == ["find filter.$gt", "ping"]
