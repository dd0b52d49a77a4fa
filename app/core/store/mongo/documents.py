"""A document as MongoDB keeps it, and the filters that find it: plain functions on dictionaries.

The body is JSON text: what comes back is what was given, to the last digit, and no name of a member
(`$schema`, `a.b`) meets a rule of BSON or of a server. Its plain members stand beside it for filters.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Binary, ObjectId

from app.core.store.base import Body, Document, Stored, milliseconds

Value = str | int | bool | None
Bson = dict[str, Any]

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When a document expires that does not: readers then need one comparison, and one index serves it."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER_MS = (NEVER - LONG_AGO) // timedelta(milliseconds=1)
SHOWN = {"revision": 1, "body": 1, "expires_at": 1}
"""What readers of documents ask for: an unfinished commit may be large."""

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_NO_VALUE = Binary(b"")
_LONGEST_VALUE = 512  # bytes; DocumentDB refuses a document whose index key is longer than 2 048
_INT64 = 2**63


def now() -> datetime:
    """The time by the clock of this machine."""
    return datetime.now(UTC)


def at(seconds: float | None) -> datetime:
    """Seconds since the epoch as a date of whole milliseconds, never earlier; NEVER for None."""
    found = milliseconds(seconds)
    return NEVER if found is None or found >= _NEVER_MS else LONG_AGO + timedelta(milliseconds=found)


def stored(found: Mapping[str, Any]) -> Stored:
    """A document of the server with its expiry."""
    ends = found["expires_at"]
    expires_at = None if ends == NEVER else (ends - LONG_AGO) // timedelta(milliseconds=1)
    return Stored(found["_id"], found["revision"], json.loads(found["body"]), expires_at)


def encode(body: Body) -> str:
    """The body as it is stored. Raises ValueError or TypeError for what is no JSON."""
    return _ENCODER.encode(body)


def content(text: str, expires_at: datetime) -> Bson:
    """What a write sets, but for the revision; `version` is new with each write, as no revision is."""
    found: Bson = {
        "version": ObjectId(),
        "body": text,
        "members": _members(json.loads(text)),
        "expires_at": expires_at,
    }
    return found if expires_at == NEVER else {**found, "sweep_at": expires_at}


def document(found: Mapping[str, Any]) -> Document:
    """A document of the server as one of the store."""
    return Document(found["_id"], found["revision"], json.loads(found["body"]))


def live(id: str, revision: int | None = None) -> Bson:
    """The filter for a document that readers see, at this revision where one is given."""
    found = {"_id": id, "expires_at": {"$gt": now()}}
    return found if revision is None else {**found, "revision": revision}


def matching(where: Mapping[str, Value], after: str | None) -> Bson:
    """The filter for documents with these members, and ids after `after`. Raises ValueError."""
    for member in where:
        if not _MEMBER.fullmatch(member):
            raise ValueError(f"{member!r} is no name of a member to filter by")
    found: Bson = {f"members.{member}": _value(value) for member, value in where.items()}
    found["expires_at"] = {"$gt": now()}
    return found if after is None else {**found, "_id": {"$gt": after}}


def _members(body: Body) -> Bson:
    return {
        member: _value(value)
        for member, value in body.items()
        if value is not None and _MEMBER.fullmatch(member)
    }


def _value(value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return value
    if not isinstance(value, str):
        return _NO_VALUE
    text = value.encode("utf-8", "surrogatepass")
    if len(text) <= _LONGEST_VALUE and not re.search(r"[\ud800-\udfff]", value):
        return value
    return Binary(hashlib.sha256(text).digest())
