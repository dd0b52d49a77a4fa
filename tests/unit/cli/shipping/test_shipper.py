import json
import os
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from app.cli.output import CliError
from app.cli.shipping import shipper as module
from app.cli.shipping.shipper import ship
from app.core.settings import Settings
from tests.unit.cli.shipping.shelf import Log


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def warnings(log: Log) -> list[str]:
    """What one look says."""
    structlog.reset_defaults()
    with capture_logs() as said:
        log.shipper().look()
    return [str(entry["event"]) for entry in said]


def test_when_all_is_well_it_says_nothing(log: Log) -> None:
    log.write(3)
    assert warnings(log) == []
    assert sorted(log.shelf.sent) == log.whole


def test_before_there_is_a_log_it_waits(log: Log) -> None:
    assert warnings(log) == []


def test_lines_that_are_no_events_are_said_once_and_hold_up_nothing(log: Log) -> None:
    for _ in range(3):
        log.write(1)
        with log.path.open("a") as file:
            file.write("no event\n")
    assert warnings(log) == ["audit.jsonl has lines that are no audit events; they are left out"]
    assert sorted(log.shelf.sent) == log.whole


def test_a_place_that_cannot_be_written_is_said_and_lines_go_on(log: Log) -> None:
    shipper = log.shipper()
    log.place.mkdir()
    structlog.reset_defaults()
    with capture_logs() as said:
        for _ in range(3):
            log.write()
            shipper.look()
    assert [entry["event"].endswith("sending goes on") for entry in said] == [True]
    assert dict(log.shelf.sent) == dict.fromkeys(log.whole, 1)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sent": 1}', '{"sent": {"a": "b", "c": -1}}', "\x00"])
def test_a_place_that_is_not_sound_means_to_begin_again(log: Log, content: str) -> None:
    log.write(3)
    log.place.write_text(content)
    assert warnings(log) == []
    assert sorted(log.shelf.sent) == log.whole
    assert list(json.loads(log.place.read_text())["sent"].values()) == [log.path.stat().st_size]


def test_a_file_that_goes_away_before_it_was_sent_is_said_with_its_bytes(log: Log) -> None:
    log.write(1)
    shipper = log.shipper()
    shipper.look()
    size = log.path.stat().st_size
    log.write(5)
    log.shelf.fault = "away"
    with pytest.raises(module.NotTakenError):
        shipper.look()
    assert shipper.behind() == log.path.stat().st_size - size
    lost = log.path.stat().st_size - size
    log.path.unlink()
    structlog.reset_defaults()
    with capture_logs() as said:
        shipper.look()
    assert [(entry["log_level"], entry["unsent_bytes"]) for entry in said] == [("error", lost)]


def test_a_last_line_without_an_end_in_an_old_file_is_not_waited_for(log: Log) -> None:
    log.write(2)
    log.tear(3, 0.9)
    log.lose()
    log.rename()
    log.write(1)
    old = log.path.with_name("audit.jsonl.1")
    os.utime(old, (1, 1))
    shipper = log.shipper()
    shipper.look()
    assert sorted(log.shelf.sent) == log.whole
    assert shipper.behind() == 0


def test_a_file_that_is_cut_short_is_sent_again(log: Log) -> None:
    log.write(4)
    shipper = log.shipper()
    shipper.look()
    os.truncate(log.path, log.path.stat().st_size // 4)
    log.write(1)
    shipper.look()
    assert sorted(log.shelf.sent) == log.whole


def test_a_file_that_was_truncated_and_grew_beyond_its_place_is_read_from_its_start(log: Log) -> None:
    log.write(1)
    shipper = log.shipper()
    shipper.look()
    log.path.write_bytes(b"")
    log.write(5)
    shipper.look()
    assert sorted(log.shelf.sent) == log.whole


def test_packed_files_and_files_of_other_names_are_left_alone(log: Log) -> None:
    log.write(1)
    for name in ("audit.jsonl.1.gz", "audit.log", "other.jsonl"):
        log.path.with_name(name).write_bytes(log.path.read_bytes().replace(b"r0", b"no"))
    assert warnings(log) == []
    assert sorted(log.shelf.sent) == log.whole


def test_without_the_secret_it_says_which_setting_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="GATEPOST_GATEWAY_SECRET_FILE"):
        ship(Settings(audit_file=tmp_path / "audit.jsonl"))
