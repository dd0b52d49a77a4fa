import asyncio
from collections.abc import Sequence

from app.core.models import AgentEntry
from app.core.policy import Grants
from app.core.store import ABSENT, Document, Store

COLLECTION = "agents"


def affects(slug: str) -> frozenset[str]:
    """What gateways decide anew after a change of this agent or its credential."""
    return frozenset({f"/a2a/{slug}"})


class AgentRepository:
    """Agent entries in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, slug: str) -> Document | None:
        """The document of an agent; None where there is none."""
        return await self._store.get(COLLECTION, slug)

    async def visible(
        self, grants: Grants, limit: int, cursor: str | None
    ) -> tuple[Sequence[Document], str | None]:
        """A page of the agents that the grants let a caller see, by slug, and the next page's cursor.

        A cursor never tells of an agent that the caller does not see.
        """
        if grants.sees_agent("*"):
            page = await self._store.list(COLLECTION, limit=limit, cursor=cursor)
            return page.items, page.next_cursor
        named = {*grants.agents, *grants.registry_agents}
        slugs = sorted(slug for slug in named if slug > (cursor or "") and grants.sees_agent(slug))
        found: list[Document] = []
        for start in range(0, len(slugs), limit + 1):
            batch = await asyncio.gather(*map(self.find, slugs[start : start + limit + 1]))
            found += [document for document in batch if document is not None]
            if len(found) > limit:
                return found[:limit], found[limit - 1].id
        return found, None

    async def create(self, entry: AgentEntry) -> Document:
        """Raises Conflict where the slug is taken."""
        return await self._commit(entry, ABSENT)

    async def replace(self, entry: AgentEntry, expected: int) -> Document:
        """Raises Conflict where it is at another revision by now."""
        return await self._commit(entry, expected)

    async def delete(self, slug: str, expected: int) -> None:
        """Raises Conflict where it is at another revision by now."""
        await self._store.commit(COLLECTION, slug, None, expected=expected, affects=affects(slug))

    async def _commit(self, entry: AgentEntry, expected: int) -> Document:
        slug, body = entry.settings.slug, entry.model_dump(mode="json")
        document = await self._store.commit(COLLECTION, slug, body, expected=expected, affects=affects(slug))
        assert document is not None  # noqa: S101  (a body was written)
        return document
