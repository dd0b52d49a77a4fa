"""Browser sessions: an opaque cookie of 32 random bytes, of which the store has only the SHA-256."""

import hashlib
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass

from app.core.store import Conflict, Store

SESSIONS = "sessions"
BROWSER = "browser"
"""What a session counts as a client."""
TOUCH_EVERY_S = 60.0


@dataclass(frozen=True)
class Session:
    """Who is logged in, by which login; `expires_at` in seconds since the epoch, were it not used again."""

    subject: str
    client: str
    login: str
    expires_at: float


class Sessions:
    """Start, find and end sessions in the store; they end `idle_s` after their last use, or `life_s` old."""

    def __init__(self, store: Store, idle_s: float, life_s: float) -> None:
        self._store = store
        self._idle_s = idle_s
        self._life_s = life_s

    async def start(self, subject: str, login: str) -> str:
        """A new session; the answer is the cookie's value, which is nowhere else."""
        value = secrets.token_urlsafe(32)
        now = time.time()
        body = {"subject": subject, "client": BROWSER, "login": login, "created_at": now, "seen_at": now}
        await self._store.put(SESSIONS, _id(value), body, expected=0, expires_at=self._ends(now, now))
        return value

    async def find(self, value: str) -> Session | None:
        """The session of a cookie's value; None for one that never was, has ended or is over."""
        document = await self._store.get(SESSIONS, _id(value))
        if document is None:
            return None
        body = document.body
        ends = self._ends(float(body["created_at"]), float(body["seen_at"]))
        if ends <= time.time():
            return None
        return Session(str(body["subject"]), str(body["client"]), str(body["login"]), ends)

    async def touch(self, value: str) -> None:
        """Note that a session is used now, at most once a minute."""
        document = await self._store.get(SESSIONS, _id(value))
        now = time.time()
        if document is None or now - float(document.body["seen_at"]) < TOUCH_EVERY_S:
            return
        body = {**document.body, "seen_at": now}
        ends = self._ends(float(body["created_at"]), now)
        with suppress(Conflict):  # it was ended, or somebody else noted it
            await self._store.put(SESSIONS, document.id, body, expected=document.revision, expires_at=ends)

    async def end(self, value: str) -> Session | None:
        """Log out. It is committed as a revocation: gateways forget the session's verdicts at once."""
        session = await self.find(value)
        if session is not None:
            await self._store.commit(SESSIONS, _id(value), None, affects={f"principal:{session.subject}"})
        return session

    def _ends(self, created_at: float, seen_at: float) -> float:
        return min(created_at + self._life_s, seen_at + self._idle_s)


def _id(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
