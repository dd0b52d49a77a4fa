"""An agent's half of a verdict: where each of its bindings is reached and with what, or why not."""

import asyncio
from collections.abc import Callable

import structlog

from app.auth.snapshot import Snapshot
from app.auth.verdict.addresses import Addresses
from app.auth.verdict.parts import limits_part, upstream_part
from app.auth.verdict.schemas import AgentPart, InterfacePart, Refusal
from app.core.credentials import UpstreamCredential
from app.core.models import AgentEntry, AgentInterface, Upstream
from app.core.models.agent import HTTP_JSON, credential_id
from app.core.sealing import SealError
from app.core.settings import Settings
from app.core.ssrf import UpstreamRefused
from app.core.token_endpoint import TokenRefused
from app.core.upstream_tokens import UpstreamTokens

log = structlog.get_logger(__name__)

NO_INTERFACE = "{} has no JSON-RPC or HTTP+JSON interface of A2A 1; the gateway carries no other"
REFUSAL_LIFE_S = 10
"""A name that does not resolve now may resolve soon."""


class Agents:
    """Builds agents' parts from the policy snapshot; `credential` opens one by its id."""

    def __init__(
        self,
        settings: Settings,
        snapshot: Snapshot,
        upstreams: Addresses,
        tokens: UpstreamTokens,
        credential: Callable[[str], UpstreamCredential],
    ) -> None:
        self._settings = settings
        self._snapshot = snapshot
        self._upstreams = upstreams
        self._tokens = tokens
        self._credential = credential

    async def part(self, slug: str, now: float) -> AgentPart | None:
        """The part for `/a2a/<slug>`; None where no agent is attached there."""
        entry = self._snapshot.agent(slug)
        if entry is None:
            return None
        expires_at = int(now) + self._settings.verdict_ttl_s
        if not entry.settings.enabled:
            return _refused(
                slug, "disabled", f"{slug} is disabled; an administrator can enable it", expires_at
            )
        if not entry.interfaces:
            return _refused(slug, "no_interface", NO_INTERFACE.format(slug), expires_at)
        return await self._part(slug, entry, now, expires_at)

    async def _part(self, slug: str, entry: AgentEntry, now: float, expires_at: int) -> AgentPart:
        try:
            return await self._reachable(slug, entry, expires_at)
        except TokenRefused as error:
            log.warning("no access token for an agent", agent=slug, reason=str(error))
            return _refused(slug, "token_endpoint", str(error), now + REFUSAL_LIFE_S)
        except (UpstreamRefused, ValueError) as error:
            return _refused(slug, "unresolved", str(error), now + REFUSAL_LIFE_S)
        except SealError as error:
            log.warning("an agent's credential cannot be opened", agent=slug, reason=str(error))
            detail = f"the credential of {slug} cannot be opened; the auth server's log says why"
            return _refused(slug, "unresolved", detail, now + REFUSAL_LIFE_S)

    async def _reachable(self, slug: str, entry: AgentEntry, expires_at: int) -> AgentPart:
        # Read before the wait: a credential that is set meanwhile may be for another address.
        credential = self._credential(credential_id(slug))
        interfaces, (headers, ends_at) = await asyncio.gather(
            self._interfaces(entry), self._tokens.headers(credential)
        )
        return AgentPart(
            slug=slug,
            identity=False,
            upstream=None,
            interfaces=interfaces,
            push_notifications=entry.settings.push_notifications,
            headers=headers,
            limits=limits_part(entry.settings),
            max_body=entry.settings.max_body and min(entry.settings.max_body, self._settings.max_body),
            expires_at=expires_at if ends_at is None else min(expires_at, int(ends_at)),
        )

    async def _interfaces(self, entry: AgentEntry) -> dict[str, InterfacePart]:
        return {
            binding: await self._interface(entry, interface)
            for binding, interface in entry.interfaces.items()
        }

    async def _interface(self, entry: AgentEntry, interface: AgentInterface) -> InterfacePart:
        upstream = Upstream.from_url(interface.url)
        if interface.binding == HTTP_JSON:  # paths are added to it
            upstream = upstream.model_copy(update={"target": upstream.target.rstrip("/")})
        addresses = await self._upstreams.of(upstream.hostname, upstream.port)
        return InterfacePart(
            upstream=upstream_part(upstream, addresses, entry.settings), tenant=interface.tenant
        )


def _refused(slug: str, refusal: Refusal, detail: str, expires_at: float) -> AgentPart:
    return AgentPart(
        slug=slug,
        identity=False,
        upstream=None,
        refusal=refusal,
        refusal_detail=detail,
        expires_at=int(expires_at),
    )
