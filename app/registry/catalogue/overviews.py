"""What is registered and whether it is up, as one caller may see it; for agents and for the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.models import ServerEntry
from app.core.policy import Grants
from app.registry.catalogue.follower import Follower
from app.registry.catalogue.known import KnownServers
from app.registry.search.documents import why_not_callable
from app.registry.search.index import SearchIndex


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

    def __init__(
        self, follower: Follower, servers: KnownServers, index: SearchIndex, public_url: str
    ) -> None:
        self._follower = follower
        self._servers = servers
        self._index = index
        self._public_url = public_url

    def url(self, slug: str) -> str:
        """The address at the gateway where MCP clients reach a server."""
        return f"{self._public_url}/mcp/{slug}"

    async def list(self, grants: Grants) -> Sequence[ServerOverview]:
        """Every server that the caller may see. Raises StoreError."""
        await self._follower.catch_up()
        servers = sorted(self._index.servers.items())
        return [self._seen(server, grants) for slug, server in servers if grants.sees(slug)]

    async def find(self, slug: str, grants: Grants) -> ServerOverview | None:
        """One server; None where there is none, or none that the caller may see. Raises StoreError."""
        await self._follower.catch_up()
        server = self._index.servers.get(slug)
        return self._seen(server, grants) if server is not None and grants.sees(slug) else None

    def _seen(self, server: ServerEntry, grants: Grants) -> ServerOverview:
        slug = server.settings.slug
        health = self._servers.health(slug)
        return ServerOverview(
            slug=slug,
            title=str(server.document.get("title") or slug),
            description=str(server.document.get("description") or ""),
            refusal=why_not_callable(server, grants),
            mcp_url=self.url(slug),
            tools=self._index.tools(slug, grants),
            state=health.state,
            reason=health.reason or "",
            checked_at=health.checked_at,
        )
