"""One line of the gateway's audit log as an event that the registry keeps."""

import json
import math
import re
from datetime import datetime
from typing import NoReturn

Value = str | int | float | bool | None
Event = dict[str, Value]
MAX_TEXT = 2048
"""Letters of one member: a tool's name or a URI may be as long as a request's body."""
_MAX_ID = 200
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_START = b'{"time":"'


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def parse(line: bytes) -> Event:
    """The event of a line, with over-long texts cut. Raises ValueError where it is none.

    On a full disk NGINX writes a part of a line, and the next one right behind it: that one still counts. The
    start of a line is never inside of one, where quotes are escaped.
    """
    whole = line[max(line.rfind(_START), 0) :].decode(errors="replace")
    try:
        members = _DECODER.decode(whole)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(members, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004  (a fault of the text)
    event: Event = {name: value for name, value in members.items() if _is_sound(value)}
    if len(whole) > MAX_TEXT or "\\u" in whole:  # no other line has a text that is too long, or is none
        event = {
            _text(name): _text(value) if isinstance(value, str) else value for name, value in event.items()
        }
    request_id = event.get("request_id")
    if not isinstance(request_id, str) or not 0 < len(request_id) <= _MAX_ID:
        raise ValueError("it has no usable request_id")
    ended(event)
    return event


def ended(event: Event) -> float:
    """When the request ended, in seconds since the epoch. Raises ValueError where the event does not say."""
    time = event.get("time")
    if not isinstance(time, str):
        raise ValueError("it has no time")  # noqa: TRY004  (a fault of the text)
    moment = datetime.fromisoformat(time)
    if moment.tzinfo is None or moment.year < 1971:
        raise ValueError("its time is no moment after 1970 with an offset from UTC")
    return moment.timestamp()


def _is_sound(value: object) -> bool:
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and -(2**63) <= value < 2**63


def _text(value: str) -> str:
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", value[:MAX_TEXT])
