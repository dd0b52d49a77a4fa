"""Logins at providers: what they gave to ask again, kept once, since a refresh token may be single-use."""

import json
import secrets
import time
from dataclasses import dataclass, field

from app.auth.providers.base import Arrival
from app.core.sealing import Sealer
from app.core.store import Store

LOGINS = "logins"


@dataclass(frozen=True)
class Login:
    """One login; `checked_at` is when the provider last vouched for the person."""

    id: str
    subject: str
    provider: str
    checked_at: float
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)


class Logins:
    """Keeps logins, their secrets sealed. They end with `life_s`, counted from the last check."""

    def __init__(self, store: Store, sealer: Sealer, life_s: float) -> None:
        self._store = store
        self._sealer = sealer
        self._life_s = life_s

    async def start(self, arrival: Arrival) -> str:
        """Keep a new login; its id."""
        id = secrets.token_urlsafe(16)
        await self.keep(id, arrival)
        return id

    async def keep(self, id: str, arrival: Arrival) -> None:
        """Keep what the provider gave, in place of what it gave before."""
        now = time.time()
        given = {"refresh_token": arrival.refresh_token, "id_token": arrival.id_token}
        body = {
            "subject": arrival.person.subject,
            "provider": arrival.person.provider,
            "sealed": self._sealer.seal(json.dumps(given).encode(), f"login/{id}"),
            "checked_at": now,
        }
        await self._store.put(LOGINS, id, body, expires_at=now + self._life_s)

    async def find(self, id: str) -> Login | None:
        """The login with that id. Raises SealError where its sealing key is gone."""
        found = await self._store.get(LOGINS, id)
        if found is None:
            return None
        body = found.body
        given = json.loads(self._sealer.open(str(body["sealed"]), f"login/{id}"))
        return Login(id, str(body["subject"]), str(body["provider"]), float(body["checked_at"]), **given)

    async def of(self, subject: str) -> list[str]:
        """The ids of a person's logins, the one that was checked last first."""
        found = (await self._store.list(LOGINS, {"subject": subject}, limit=1000)).items
        newest = sorted(found, key=lambda document: float(document.body["checked_at"]), reverse=True)
        return [document.id for document in newest]

    async def end(self, id: str) -> None:
        """Forget a login."""
        await self._store.delete(LOGINS, id)
