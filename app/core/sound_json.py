"""JSON that every store keeps and every answer can carry: one that is not would break whole lists."""

import json
import math
from typing import Any

from fastapi import Request

from app.core.problems import Problem

MAX_DEPTH = 100
MAX_BODY = 256 * 1024
"""Bytes of one request of the API: what is checked member by member must not hold up other requests."""
_MAX_INTEGER = 2**63


def fault(value: Any) -> str | None:
    """What is wrong with a parsed JSON value; None for nothing."""
    pending = [(value, 0)]
    while pending:
        found, depth = pending.pop()
        if depth > MAX_DEPTH:
            return f"it is nested deeper than {MAX_DEPTH} levels"
        match found:
            case dict():
                pending += [(part, depth + 1) for member in found.items() for part in member]
            case list():
                pending += [(part, depth + 1) for part in found]
            case str() if not _is_text(found):
                return "it holds a NUL or half of a surrogate pair, which is no text"
            case float() if not math.isfinite(found):
                return "it holds a number that is not finite"
            case int() if not -_MAX_INTEGER <= found < _MAX_INTEGER:
                return "it holds an integer of more than 64 bits"
    return None


async def require_sound_body(request: Request) -> None:
    """A dependency: raise a 422 problem for a JSON body that cannot be kept, 413 for one that is too long.

    What is no JSON is FastAPI's.
    """
    body = await request.body()
    if not body:
        return
    if len(body) > MAX_BODY:
        detail = f"the body has {len(body)} bytes; the API takes {MAX_BODY // 1024} KiB at most"
        raise Problem(413, "body-too-long", "The request is too long", detail)
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return
    if reason := fault(parsed):
        title = "The request is not valid"
        errors = [{"field": "body", "reason": reason}]
        raise Problem(422, "invalid-request", title, f"body: {reason}", errors=errors)


def _is_text(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
