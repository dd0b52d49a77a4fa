"""An agent's half of a verdict: where each of its bindings is reached and with what, or why not."""

from collections.abc import Callable

import structlog

from app.auth.snapshot import Snapshot
from app.auth.verdict.addresses import Addresses
from app.auth.verdict.schemas import AgentPart, InterfacePart, Refusal, UpstreamPart
from app.core.credentials import UpstreamCredential
from app.core.models import AgentEntry, AgentInterface, Upstream
from app.core.models.agent import HTTP_JSON, credential_id
from app.core.sealing import SealError
from app.core.settings import Settings
from app.core.ssrf import UpstreamRefused
from app.core.token_endpoint import TokenRefused
from app.core.upstream_tokens import UpstreamTokens

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_MS = 5_000
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
            return _refused(slug, "disabled", f"{slug} is disabled at the registry", expires_at)
        if not entry.interfaces:
            detail = f"{slug} has no JSON-RPC or HTTP+JSON interface of A2A 1; the gateway carries no other"
            return _refused(slug, "no_interface", detail, expires_at)
        try:
            # Read before the wait: a credential that is set meanwhile may be for another address.
            credential = self._credential(credential_id(slug))
            headers, ends_at = await self._tokens.headers(credential)
            interfaces = {
                binding: await self._interface(entry, interface)
                for binding, interface in entry.interfaces.items()
            }
        except (TokenRefused, UpstreamRefused, ValueError) as error:
            refusal: Refusal = "token_endpoint" if isinstance(error, TokenRefused) else "unresolved"
            return _refused(slug, refusal, str(error), now + REFUSAL_LIFE_S)
        except SealError as error:
            log.warning("an agent's credential cannot be opened", agent=slug, reason=str(error))
            detail = f"the credential of {slug} cannot be opened; the auth server's log says why"
            return _refused(slug, "unresolved", detail, now + REFUSAL_LIFE_S)
        return AgentPart(
            slug=slug,
            identity=False,
            upstream=None,
            interfaces=interfaces,
            push_notifications=entry.settings.push_notifications,
            headers=headers,
            max_body=entry.settings.max_body and min(entry.settings.max_body, self._settings.max_body),
            expires_at=expires_at if ends_at is None else min(expires_at, int(ends_at)),
        )

    async def _interface(self, entry: AgentEntry, interface: AgentInterface) -> InterfacePart:
        upstream = Upstream.from_url(interface.url)
        target = upstream.target.rstrip("/") if interface.binding == HTTP_JSON else upstream.target
        part = UpstreamPart(
            scheme=upstream.scheme,
            host=upstream.host,
            sni=upstream.hostname,
            target=target,
            addresses=await self._upstreams.of(upstream.hostname, upstream.port),
            connect_timeout_ms=CONNECT_TIMEOUT_MS,
            read_timeout_ms=int(entry.settings.timeout_s * 1000),
        )
        return InterfacePart(upstream=part, tenant=interface.tenant)


def _refused(slug: str, refusal: Refusal, detail: str, expires_at: float) -> AgentPart:
    return AgentPart(
        slug=slug,
        identity=False,
        upstream=None,
        refusal=refusal,
        refusal_detail=detail,
        expires_at=int(expires_at),
    )
