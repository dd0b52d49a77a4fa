"""The server's half of a verdict: where the gateway connects to and with what, or why it must not."""

import asyncio
from ipaddress import ip_network

import structlog

from app.auth.snapshot import Snapshot
from app.auth.verdict.addresses import Addresses
from app.auth.verdict.agents import Agents
from app.auth.verdict.parts import limits_part, upstream_part
from app.auth.verdict.schemas import Blocked, Refusal, ServerPart
from app.core.credentials import UpstreamCredential
from app.core.models import ServerEntry, ServerSettings, ToolKind, Upstream
from app.core.policy import REGISTRY
from app.core.sealing import Sealer, SealError
from app.core.settings import Settings
from app.core.ssrf import UpstreamRefused
from app.core.token_endpoint import TokenRefused
from app.core.upstream_tokens import UpstreamTokens

log = structlog.get_logger(__name__)

BUILT_IN = {f"/mcp/{REGISTRY}": REGISTRY, "/api": "api", "/ui": "ui"}
"""Resources that the registry itself answers, and no others get the caller's identity."""
REFUSAL_LIFE_S = 10
"""A name that does not resolve now may resolve soon."""


class Servers:
    """Builds server parts from the policy snapshot."""

    def __init__(self, settings: Settings, snapshot: Snapshot, sealer: Sealer) -> None:
        self._settings = settings
        self._snapshot = snapshot
        self._sealer = sealer
        self._upstreams = Addresses(settings.upstream_networks)
        self._tokens = UpstreamTokens(settings)
        self._agents = Agents(settings, snapshot, self._upstreams, self._tokens, self._credential)
        self._own = Addresses([ip_network("0.0.0.0/0"), ip_network("::/0")])

    async def part(self, resource: str, now: float) -> ServerPart | None:
        """The part for `/mcp/<slug>`, `/a2a/<slug>`, `/api` or `/ui`; None where nothing is attached."""
        if resource in BUILT_IN:
            return await self._built_in(resource, now)
        if resource.startswith("/a2a/"):
            return await self._agents.part(resource.removeprefix("/a2a/"), now)
        slug = resource.removeprefix("/mcp/")
        entry = None if slug == resource else self._snapshot.server(slug)
        return None if entry is None else await self._attached(slug, entry, now)

    async def _built_in(self, resource: str, now: float) -> ServerPart:
        host, port = self._settings.registry_host, self._settings.registry_port
        own = Upstream(scheme="http", hostname=host, port=port, target=resource)
        slug = BUILT_IN[resource]
        try:
            addresses = await self._own.of(host, port)
        except UpstreamRefused as error:
            return _refused(slug, "unresolved", str(error), now + REFUSAL_LIFE_S, identity=True)
        expires_at = int(now) + self._settings.verdict_ttl_s
        upstream = upstream_part(own, addresses, ServerSettings(slug=slug))
        return ServerPart(slug=slug, identity=True, upstream=upstream, expires_at=expires_at)

    async def _attached(self, slug: str, entry: ServerEntry, now: float) -> ServerPart:
        expires_at = int(now) + self._settings.verdict_ttl_s
        if not entry.settings.enabled:
            return _refused(
                slug, "disabled", f"{slug} is disabled; an administrator can enable it", expires_at
            )
        if entry.url is None:
            detail = f"{slug} has no HTTP endpoint; run it locally as its server.json says"
            return _refused(slug, "stdio_only", detail, expires_at)
        try:
            upstream = Upstream.from_url(entry.url)
            # Read before the wait: a credential that is set meanwhile may be for another address.
            credential, blocked = self._credential(slug), self._blocked(slug)
            addresses, (headers, ends_at) = await asyncio.gather(
                self._upstreams.of(upstream.hostname, upstream.port), self._tokens.headers(credential)
            )
        except TokenRefused as error:
            log.warning("no access token for a server", server=slug, reason=str(error))
            return _refused(slug, "token_endpoint", str(error), now + REFUSAL_LIFE_S)
        except (UpstreamRefused, ValueError) as error:
            return _refused(slug, "unresolved", str(error), now + REFUSAL_LIFE_S)
        except SealError as error:
            log.warning("a server's credential cannot be opened", server=slug, reason=str(error))
            detail = f"the credential of {slug} cannot be opened; the auth server's log says why"
            return _refused(slug, "unresolved", detail, now + REFUSAL_LIFE_S)
        return ServerPart(
            slug=slug,
            identity=False,
            upstream=upstream_part(upstream, addresses, entry.settings, entry.transport),
            headers=headers,
            blocked=blocked,
            limits=limits_part(entry.settings),
            max_body=entry.settings.max_body and min(entry.settings.max_body, self._settings.max_body),
            expires_at=expires_at if ends_at is None else min(expires_at, int(ends_at)),
        )

    def _credential(self, slug: str) -> UpstreamCredential:
        sealed = self._snapshot.sealed_credential(slug)
        return UpstreamCredential.open(self._sealer, slug, sealed) if sealed else UpstreamCredential()

    def _blocked(self, slug: str) -> Blocked:
        names: dict[str, list[str]] = {"tool": [], "prompt": [], "resource": []}
        for kind, name in sorted(self._snapshot.refused(slug)):
            names[ToolKind.RESOURCE if kind is ToolKind.TEMPLATE else kind].append(name)
        return Blocked.model_validate(names)


def _refused(
    slug: str, refusal: Refusal, detail: str, expires_at: float, *, identity: bool = False
) -> ServerPart:
    return ServerPart(
        slug=slug,
        identity=identity,
        upstream=None,
        refusal=refusal,
        refusal_detail=detail,
        expires_at=int(expires_at),
    )
