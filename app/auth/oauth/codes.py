"""Authorization codes: they live for a minute, and count once (RFC 6749, 4.1.2 and 10.5)."""

import hashlib
import secrets
import time
from dataclasses import asdict, dataclass

from app.core.store import ABSENT, Conflict, Store

CODES = "codes"
USED = "used_codes"
LIFE_S = 60
REMEMBERED_S = 86_400
"""How long a code that comes again still ends what was made of it."""


@dataclass(frozen=True)
class Code:
    """What a person gave to a client; `grant` is the id of the grant that the code will make."""

    client_id: str
    redirect_uri: str
    challenge: str
    subject: str
    login: str
    resource: str
    scopes: list[str] | None
    grant: str


class Codes:
    """Codes in the store, under their SHA-256."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def issue(self, code: Code) -> str:
        """A new code's value, which is nowhere else."""
        value = secrets.token_urlsafe(32)
        await self._store.put(CODES, _id(value), asdict(code), expires_at=time.time() + LIFE_S)
        return value

    async def redeem(self, value: str) -> Code | None:
        """What the code stands for, to the first who asks; None for one that is unknown, over or used."""
        found = await self._store.get(CODES, _id(value))
        if found is None:
            return None
        code = Code(**found.body)
        # First of all, so that whoever comes second at the same moment finds it and ends the grant.
        ends = time.time() + REMEMBERED_S
        try:
            await self._store.put(USED, found.id, {"grant": code.grant}, expected=ABSENT, expires_at=ends)
        except Conflict:
            return None
        await self._store.delete(CODES, found.id)
        return code

    async def used_for(self, value: str) -> str | None:
        """The grant of a code that was redeemed before."""
        found = await self._store.get(USED, _id(value))
        return None if found is None else str(found.body["grant"])


def _id(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
