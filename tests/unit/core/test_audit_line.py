import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.audit_line import MAX_TEXT, ended, parse


def line(**more: Any) -> bytes:
    return json.dumps({"time": "2026-01-31T12:00:00+01:00", "request_id": "a-1", **more}).encode()


def as_nginx(**more: Any) -> bytes:
    """Without spaces, as NGINX writes it."""
    return line(**more).replace(b": ", b":")


def test_an_event_keeps_its_members_those_of_newer_gateways_too() -> None:
    event = parse(line(tool="add", status=200, upstream_time=None, agent="auditor"))
    assert (event["tool"], event["status"], event["upstream_time"]) == ("add", 200, None)
    assert event["agent"] == "auditor"
    assert ended(event) == 1769857200


def test_a_line_behind_a_torn_one_still_counts() -> None:
    torn = as_nginx(request_id="torn", tool="add")[:-9]
    assert parse(torn + as_nginx(request_id="whole"))["request_id"] == "whole"


@given(tool=st.text(max_size=20))
def test_a_text_that_looks_like_the_start_of_a_line_stays_a_text(tool: str) -> None:
    disguised = tool + as_nginx(request_id="forged").decode()
    event = parse(as_nginx(tool=disguised))
    assert event["request_id"] == "a-1"


def test_over_long_texts_are_cut_and_what_is_no_text_is_replaced() -> None:
    text = line(tool="x" * 100_000, server="a\0b\ud800", status=2**70, total_time=0.25)
    event = parse(text.replace(b"0.25", b"1e999"))
    assert event["tool"] == "x" * MAX_TEXT
    assert event["server"] == "a\ufffdb\ufffd"
    assert event.keys() == {"time", "request_id", "tool", "server"}


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no JSON",
        b"[]",
        b'"text"',
        line()[:-1],
        line() + b"}",
        line(request_id=""),
        line(request_id=7),
        line(request_id="x" * 201),
        line(time="yesterday"),
        line(time=None),
        line(time="2026-01-31T12:00:00"),
        line(time="0001-01-01T00:00:00+14:00"),
        b"[" * 100_000,
        line(total_time=float("nan")),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(broken)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(data)
