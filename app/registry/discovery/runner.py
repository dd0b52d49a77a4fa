import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import structlog

from app.core.models import ServerEntry, ToolKind, ToolRecord
from app.core.sealing import Sealer, SealError
from app.core.settings import Settings
from app.core.store import Document, Store, StoreError
from app.core.store.lease import lease
from app.core.token_endpoint import TokenRefused
from app.core.upstream_tokens import UpstreamTokens
from app.registry.credentials.vault import CredentialVault
from app.registry.discovery.failures import Failure
from app.registry.discovery.health import Health, HealthRepository
from app.registry.discovery.limits import DEADLINE_S, MAX_AT_ONCE
from app.registry.discovery.pages import Listed
from app.registry.discovery.probe import Found, probe
from app.registry.servers.repository import ServerRepository
from app.registry.tools.repository import ToolRepository, definition_hash

log = structlog.get_logger(__name__)

NAME_MEMBERS = {ToolKind.RESOURCE: "uri", ToolKind.TEMPLATE: "uriTemplate"}


class Discovery:
    """Looks at servers, each once at a time whatever number of registries, and keeps what they offer."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sealer: Sealer,
        tokens: UpstreamTokens,
        looked: Callable[[Document], Awaitable[None]],
    ) -> None:
        """`looked` is called with the new health after each look, when all that was found is stored."""
        self._settings = settings
        self._store = store
        self._looked = looked
        self._servers = ServerRepository(store)
        self._tools = ToolRepository(store)
        self._health = HealthRepository(store)
        self._vault = CredentialVault(store, sealer)
        self._tokens = tokens
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._locks: dict[str, asyncio.Lock] = {}
        self._begun: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, slug: str) -> None:
        """Look at a server in the background, where only so many are looked at at once."""
        task = asyncio.create_task(self._guarded(slug), name=f"discovery of {slug}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self, slug: str) -> Health:
        """Look at a server now. A failure is its health, with the reason; its last good list stays.

        Whoever asks while a look is under way waits for one that begins later, which all of them share.
        """
        before = self._begun[slug]
        async with self._locks.setdefault(slug, asyncio.Lock()):
            if self._begun[slug] > before:
                return await self._health.of(slug)
            self._begun[slug] += 1
            async with lease(self._store, f"discovery/{slug}", wait_s=2 * DEADLINE_S):
                return await self._run(slug)

    async def _run(self, slug: str) -> Health:
        document = await self._servers.find(slug)
        if document is None:
            return Health(server=slug)
        known = await self._health.of(slug)
        health = await self._look(ServerEntry.model_validate(document.body), known)
        await self._looked(await self._health.save(health, known))
        if await self._servers.find(slug) is None:  # deleted while we looked: leave nothing behind
            await self.forget(slug)
        return health

    async def forget(self, slug: str) -> None:
        """Delete what was found at a server that is gone."""
        await self._tools.delete_all(slug)
        await self._health.forget(slug)

    async def close(self) -> None:
        """Stop all that runs in the background; called before the store closes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self, entry: ServerEntry, known: Health) -> Health:
        slug = entry.settings.slug
        if entry.url is None:
            return known.failed("unknown", "it has no HTTP endpoint: listed, not callable")
        try:
            headers, _ = await self._tokens.headers(await self._vault.find(slug))
            found = await probe(self._settings, entry.url, headers, entry.transport)
        except Failure as failure:
            log.warning(
                "a server could not be looked at", server=slug, state=failure.state, reason=str(failure)
            )
            return known.failed(failure.state, str(failure))
        except TokenRefused as error:
            log.warning("no access token for a server", server=slug, reason=str(error))
            return known.failed("credential_expired", str(error))
        except SealError:
            log.exception("a server's credential cannot be opened", server=slug)
            return known.failed("credential_expired", "its credential cannot be opened; set it again")
        await self._tools.replace_all(slug, records(slug, found))
        return known.found(found)

    async def _guarded(self, slug: str) -> None:
        try:
            async with self._slots:
                await self.run(slug)
        except StoreError:
            log.exception("what was found at a server is lost; refresh it", server=slug)


def records(slug: str, found: Found) -> list[ToolRecord]:
    """What was found as records, one a name; of two with the same name the first counts."""
    made: dict[str, ToolRecord] = {}
    for kind, listed in found.offers.items():
        for record in _of_kind(slug, kind, listed):
            made.setdefault(record.id, record)
    return list(made.values())


def _of_kind(slug: str, kind: ToolKind, listed: Listed) -> list[ToolRecord]:
    return [_record(slug, kind, definition) for definition in listed.definitions]


def _record(slug: str, kind: ToolKind, definition: Mapping[str, object]) -> ToolRecord:
    name = str(definition[NAME_MEMBERS.get(kind, "name")])
    return ToolRecord(
        server=slug, kind=kind, name=name, definition=dict(definition), hash=definition_hash(definition)
    )
