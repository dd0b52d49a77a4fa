"""What is registered and whether it is up, as one caller may see it; for agents and for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.models import ServerEntry
from app.core.policy import Grants
from app.core.store import Store
from app.registry.search.documents import why_not_callable
from app.registry.search.service import Search

_HEALTH = "health"


@dataclass(frozen=True)
class ServerOverview:
    """One server. `refusal` says why the caller cannot use it; None where it can.

    `state` is `healthy`, `unreachable`, `credential_expired` or `unknown`, as `checked_at` found it.
    """

    slug: str
    title: str
    description: str
    refusal: str | None
    mcp_url: str
    tools: Sequence[str]
    state: str
    reason: str
    checked_at: str | None


class Catalogue:
    """The registered servers by slug, each as far as the caller's rights go."""

    def __init__(self, store: Store, search: Search, public_url: str) -> None:
        self._store = store
        self._search = search
        self._public_url = public_url

    def url(self, slug: str) -> str:
        """The address at the gateway where MCP clients reach a server."""
        return f"{self._public_url}/mcp/{slug}"

    async def list(self, grants: Grants) -> Sequence[ServerOverview]:
        """Every server that the caller may see. Raises StoreError."""
        await self._search.catch_up()
        health = await self._all_health()
        servers = sorted(self._search.index.servers.items())
        return [
            self._seen(server, grants, health.get(slug, {})) for slug, server in servers if grants.sees(slug)
        ]

    async def find(self, slug: str, grants: Grants) -> ServerOverview | None:
        """One server; None where there is none, or none that the caller may see. Raises StoreError."""
        await self._search.catch_up()
        server = self._search.index.servers.get(slug)
        if server is None or not grants.sees(slug):
            return None
        document = await self._store.get(_HEALTH, slug)
        return self._seen(server, grants, document.body if document else {})

    def _seen(self, server: ServerEntry, grants: Grants, health: Mapping[str, Any]) -> ServerOverview:
        slug = server.settings.slug
        return ServerOverview(
            slug=slug,
            title=str(server.document.get("title") or slug),
            description=str(server.document.get("description") or ""),
            refusal=why_not_callable(server, grants),
            mcp_url=self.url(slug),
            tools=self._search.index.tools(slug, grants),
            state=str(health.get("state") or "unknown"),
            reason=str(health.get("reason") or ""),
            checked_at=health.get("checked_at"),
        )

    async def _all_health(self) -> Mapping[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        cursor = None
        while True:
            page = await self._store.list(_HEALTH, limit=1000, cursor=cursor)
            found |= {document.id: document.body for document in page.items}
            cursor = page.next_cursor
            if cursor is None:
                return found
