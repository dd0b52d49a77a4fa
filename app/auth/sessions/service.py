"""Browser sessions: an opaque cookie of 32 random bytes, of which the store has only the SHA-256."""

import hashlib
import secrets
import time
from dataclasses import dataclass

from app.auth.providers.base import Person
from app.core.store import Store

SESSIONS = "sessions"
LIFETIME_S = 12 * 3600
"""Absolute: a session is not prolonged by use."""
BROWSER = "browser"
"""What a session counts as a client."""


@dataclass(frozen=True)
class Session:
    """Who is logged in; `expires_at` in seconds since the epoch."""

    subject: str
    client: str
    groups: list[str]
    expires_at: float


class Sessions:
    """Start, find and end sessions in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def start(self, person: Person) -> str:
        """A new session; the answer is the cookie's value, which is nowhere else."""
        value = secrets.token_urlsafe(32)
        now = time.time()
        body = {"subject": person.subject, "client": BROWSER, "groups": person.groups, "created_at": now}
        await self._store.put(SESSIONS, _id(value), body, expected=0, expires_at=now + LIFETIME_S)
        return value

    async def find(self, value: str) -> Session | None:
        """The session of a cookie's value; None for one that never was, has ended or is over."""
        document = await self._store.get(SESSIONS, _id(value))
        if document is None:
            return None
        body = document.body
        expires_at = float(body["created_at"]) + LIFETIME_S
        if expires_at <= time.time():
            return None
        return Session(str(body["subject"]), str(body["client"]), list(body["groups"]), expires_at)

    async def end(self, value: str) -> None:
        """Log out. It is committed as a revocation: gateways forget the session's verdicts at once."""
        session = await self.find(value)
        if session is not None:
            await self._store.commit(SESSIONS, _id(value), None, affects={f"principal:{session.subject}"})


def _id(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
