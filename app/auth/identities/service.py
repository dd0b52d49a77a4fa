"""Agents' identities: which service account at which provider is whose."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.auth.identities.account import RealmError, ServiceAccount
from app.auth.identities.realm import Realm
from app.core.models.identity_provider import OidcProviderConfig
from app.core.problems import Problem
from app.core.settings import Settings
from app.core.store import Store

IDENTITIES = "agent_identities"
CLIENT_PREFIX = "gatepost-agent-"
AT_ONCE = 4
Result = TypeVar("Result")


class Identities:
    """Service accounts of agents, kept at the provider; the store only says where each is."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._threads = CapacityLimiter(AT_ONCE)

    def realm(self, provider: str) -> Realm:
        """The realm of a provider. Raises a 404 problem, and 409 for one that cannot be administered."""
        config = next((found for found in self._settings.providers if found.name == provider), None)
        if config is None:
            raise Problem(404, "no-such-provider", "There is no such provider", f"none is called {provider}")
        if not isinstance(config, OidcProviderConfig):
            detail = f"{provider} is no Keycloak; only Keycloak is administered from here"
            raise Problem(409, "not-administered", "This provider is not administered from here", detail)
        try:
            return Realm(config, self._settings)
        except RealmError as error:
            raise _problem(error) from None

    async def call(self, work: Callable[[], Result]) -> Result:
        """Do something blocking at a realm. Raises a 502 problem that says why it cannot be done."""
        try:
            return await to_thread.run_sync(work, limiter=self._threads)
        except RealmError as error:
            raise _problem(error) from None

    async def make(self, slug: str, provider: str, groups: list[str]) -> ServiceAccount:
        """Make an agent's account, or change its groups; another provider's is not taken over."""
        known = await self._store.get(IDENTITIES, slug)
        if known is not None and known.body["provider"] != provider:
            detail = f"{slug} has its identity at {known.body['provider']}; delete that first"
            raise Problem(409, "identity-elsewhere", "The agent has another identity", detail)
        work = partial(self.realm(provider).make, CLIENT_PREFIX + slug, f"Gatepost agent {slug}", groups)
        account = await self.call(work)
        await self._store.put(IDENTITIES, slug, {"provider": provider})
        return account

    async def find(self, slug: str) -> tuple[str, ServiceAccount]:
        """The provider and the account there. Raises a 404 problem."""
        provider = await self._provider(slug)
        account = await self.call(partial(self.realm(provider).account, CLIENT_PREFIX + slug))
        return provider, _there(account, slug, provider)

    async def rotate(self, slug: str) -> tuple[str, ServiceAccount]:
        """A new secret. Raises a 404 problem."""
        provider = await self._provider(slug)
        account = await self.call(partial(self.realm(provider).rotate, CLIENT_PREFIX + slug))
        return provider, _there(account, slug, provider)

    async def remove(self, slug: str) -> None:
        """Take the account away at the provider, then here. Raises a 404 problem."""
        provider = await self._provider(slug)
        await self.call(partial(self.realm(provider).remove, CLIENT_PREFIX + slug))
        await self._store.delete(IDENTITIES, slug)

    async def _provider(self, slug: str) -> str:
        known = await self._store.get(IDENTITIES, slug)
        if known is None:
            detail = f"the agent {slug} has no identity; PUT one with its provider and groups"
            raise Problem(404, "no-identity", "There is no identity", detail)
        return str(known.body["provider"])


def _there(account: ServiceAccount | None, slug: str, provider: str) -> ServiceAccount:
    if account is None:
        detail = f"the client {CLIENT_PREFIX}{slug} is gone at {provider}; PUT the identity to make it anew"
        raise Problem(404, "no-identity", "There is no identity", detail)
    return account


def _problem(error: RealmError) -> Problem:
    return Problem(502, "provider-refused", "The identity provider cannot be administered", str(error))
