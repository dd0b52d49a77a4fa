from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from app.core.store import Document, Store
from app.registry.discovery.probe import Found

COLLECTION = "health"


class HealthState(StrEnum):
    """`unknown` until the first look, and for a server with no HTTP endpoint."""

    HEALTHY = "healthy"
    UNREACHABLE = "unreachable"
    CREDENTIAL_EXPIRED = "credential_expired"
    UNKNOWN = "unknown"


class Health(BaseModel):
    """What the registry last found out about a server; after a failure the last good findings stay.

    `counts` is how many definitions of each kind there are.
    """

    server: str
    state: HealthState = HealthState.UNKNOWN
    reason: str | None = None
    checked_at: str | None = None
    era: str | None = None
    server_info: dict[str, Any] = {}
    instructions: str | None = None
    counts: dict[str, int] = {}

    def failed(self, state: str, reason: str) -> "Health":
        """What a look that failed makes of it."""
        return self.model_copy(update={"state": HealthState(state), "reason": reason, "checked_at": _now()})

    def found(self, found: Found) -> "Health":
        """What a look that succeeded makes of it; the reason then says what may be missing."""
        notes = [listed.note for listed in found.offers.values() if listed.note]
        return Health(
            server=self.server,
            state=HealthState.HEALTHY,
            reason="; ".join(notes) or None,
            checked_at=_now(),
            era=found.era,
            server_info=found.server_info,
            instructions=found.instructions,
            counts={kind.value: len(listed.definitions) for kind, listed in found.offers.items()},
        )


class HealthRepository:
    """The health of servers in the store; it decides no call, so gateways do nothing about it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, slug: str) -> Health:
        """A server's health; `unknown` before the first look."""
        document = await self._store.get(COLLECTION, slug)
        return Health(server=slug) if document is None else Health.model_validate(document.body)

    async def save(self, health: Health, before: Health) -> Document:
        """Write it. News beside the time is a change that other registries hear of at once.

        Its new revision tells them, a little later, that the server was looked at.
        """
        body = health.model_dump(mode="json")
        if health.model_copy(update={"checked_at": before.checked_at}) == before:
            return await self._store.put(COLLECTION, health.server, body)
        saved = await self._store.commit(COLLECTION, health.server, body)
        assert saved is not None  # noqa: S101  (a body was written)
        return saved

    async def forget(self, slug: str) -> None:
        """Delete what is known of a server that is gone."""
        if await self._store.get(COLLECTION, slug) is not None:
            await self._store.delete(COLLECTION, slug)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
