"""Assertions that were accepted: each once, and kept until the browser that asked comes for it."""

import hashlib
import secrets
import time
from dataclasses import asdict, dataclass

from app.auth.providers.base import Person
from app.auth.providers.saml.assertion import Assertion
from app.auth.providers.saml.errors import Refused
from app.core.store import ABSENT, Conflict, Store

ASSERTIONS = "assertions"
OUTCOMES = "saml_outcomes"
LIFE_S = 60.0


@dataclass(frozen=True)
class Outcome:
    """Who a response vouches for, and which request it answers."""

    request: str
    person: Person


class Outcomes:
    """Carries what was verified from the provider's post, which has no cookie, to our own page, which has."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, assertion: Assertion, person: Person) -> str:
        """The id under which it can be fetched once, within LIFE_S. Raises Refused for a replay."""
        used = _digest(f"{person.provider} {assertion.id}")
        try:
            await self._store.put(ASSERTIONS, used, {}, expected=ABSENT, expires_at=assertion.ends_at)
        except Conflict:
            raise Refused("this assertion was used before; log in again") from None
        id = secrets.token_urlsafe(32)
        body = {"request": assertion.in_response_to, "person": asdict(person)}
        await self._store.put(OUTCOMES, _digest(id), body, expires_at=time.time() + LIFE_S)
        return id

    async def fetch(self, id: str) -> Outcome | None:
        """The outcome with that id; None for one that was fetched, is too old or never was."""
        found = await self._store.take(OUTCOMES, _digest(id))
        return None if found is None else Outcome(found.body["request"], Person(**found.body["person"]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
