"""The one sealed field of the consent form: the whole question, so that no answer is to another one.

Sealed for the person's session and for ten minutes, it is what keeps other sites from answering, too.
"""

import hashlib
import json
import time
from dataclasses import asdict, dataclass

from app.auth.oauth.request import Wanted
from app.core.sealing import Sealer, SealError

LIFE_S = 600


@dataclass(frozen=True)
class Question:
    """What was asked, and the names of the scopes to choose from."""

    wanted: Wanted
    offered: list[str]


def seal(sealer: Sealer, session: str, question: Question) -> str:
    """The field; `session` is the value of the session's cookie."""
    body = {"wanted": asdict(question.wanted), "offered": question.offered, "ends": time.time() + LIFE_S}
    return sealer.seal(json.dumps(body).encode(), _context(session))


def unseal(sealer: Sealer, session: str, field: str) -> Question | None:
    """The question; None for one that was altered, is of another session, or is too old."""
    try:
        body = json.loads(sealer.open(field, _context(session)))
    except SealError:
        return None
    if body["ends"] <= time.time():
        return None
    return Question(Wanted(**body["wanted"]), body["offered"])


def given(question: Question, fields: list[tuple[str, str]]) -> list[str] | None:
    """The scopes that a person ticked, sorted; None for all that they may do.

    Raises ValueError for none, and for what was not asked.
    """
    ticked = {value for name, value in fields if name == "scope"}
    if question.wanted.scopes is None and ("reach", "all") in fields:
        return None
    if not ticked or not ticked <= set(question.offered):
        raise ValueError("Choose at least one scope, or deny.")
    return sorted(ticked)


def _context(session: str) -> str:
    return f"consent/{hashlib.sha256(session.encode()).hexdigest()}"
