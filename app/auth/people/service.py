"""What providers said last of people: one record each, so that all their credentials lose what they lose."""

import time
from contextlib import suppress

from app.auth.providers.base import Person
from app.core.store import ABSENT, Conflict, Document, Store

PEOPLE = "people"


class People:
    """The people that logged in here once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(self, person: Person) -> None:
        """Keep what a provider says now; gateways decide anew where the groups are others."""
        while True:
            known = await self._store.get(PEOPLE, person.subject)
            with suppress(Conflict):  # somebody else recorded the same person: look again
                return await self._write(person, known)

    async def _write(self, person: Person, known: Document | None) -> None:
        expected = ABSENT if known is None else known.revision
        body = {
            "subject": person.subject,
            "provider": person.provider,
            "name": person.name,
            "mail": person.mail,
            "groups": sorted(set(person.groups)),
            "seen_at": time.time(),
        }
        if known is None or known.body["groups"] != body["groups"]:
            affects = {f"principal:{person.subject}"}
            await self._store.commit(PEOPLE, person.subject, body, expected=expected, affects=affects)
        else:
            await self._store.put(PEOPLE, person.subject, body, expected=expected)

    async def find(self, subject: str) -> Person | None:
        """The person with that subject; None for somebody who never logged in."""
        found = await self._store.get(PEOPLE, subject)
        return None if found is None else _person(found)


def _person(document: Document) -> Person:
    body = document.body
    return Person(
        subject=str(body["subject"]),
        provider=str(body["provider"]),
        groups=list(body["groups"]),
        name=str(body["name"]),
        mail=str(body["mail"]),
        seen_at=float(body["seen_at"]),
    )
