"""What people agreed to before: by person, client, redirect URI and resource."""

import hashlib
import json
import time

from app.auth.oauth.request import Wanted, stays_on_device
from app.auth.oauth.scopes import within
from app.core.store import Store

CONSENTS = "consents"
LIFE_S = 180 * 86_400


class Consents:
    """Remembered agreements."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def remember(self, subject: str, wanted: Wanted, scopes: list[str] | None) -> None:
        """Keep that a person gave a client these scopes (None: all) at that resource."""
        body = {
            "subject": subject,
            "client_id": wanted.client_id,
            "redirect_uri": wanted.redirect_uri,
            "resource": wanted.resource,
            "scopes": scopes,
        }
        await self._store.put(CONSENTS, _id(subject, wanted), body, expires_at=time.time() + LIFE_S)

    async def cover(self, subject: str, wanted: Wanted) -> bool:
        """Whether the page may be left out: all that is wanted was given before, to this redirect URI.

        Never where a program on the person's device gets the answer: any other could ask in its name.
        """
        if "consent" in wanted.prompts or stays_on_device(wanted.redirect_uri):
            return False
        found = await self._store.get(CONSENTS, _id(subject, wanted))
        return found is not None and within(wanted.scopes, found.body["scopes"])

    async def forget(self, subject: str, client_id: str) -> None:
        """Have the person asked again by that client."""
        while found := (await self._store.list(CONSENTS, {"subject": subject, "client_id": client_id})).items:
            for consent in found:
                await self._store.delete(CONSENTS, consent.id)


def _id(subject: str, wanted: Wanted) -> str:
    whole = [subject, wanted.client_id, wanted.redirect_uri, wanted.resource]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()
