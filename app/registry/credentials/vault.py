import json
from collections.abc import Mapping

from app.core.models.agent import credential_id
from app.core.sealing import Sealer
from app.core.store import Store
from app.registry.agents.repository import affects as affects_agent
from app.registry.servers.repository import affects as affects_server

COLLECTION = "credentials"


class CredentialVault:
    """Credentials in the store: the headers that go to an upstream, sealed.

    A server's is kept by its slug, an agent's by `models.agent.credential_id`.
    """

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    async def put(self, slug: str, headers: Mapping[str, str]) -> None:
        """Set or replace a server's credential, in force at every gateway."""
        plain = json.dumps({"headers": dict(headers)}).encode()
        body = {"sealed": self._sealer.seal(plain, _context(slug))}
        await self._store.commit(COLLECTION, slug, body, affects=_affects(slug))

    async def remove(self, slug: str) -> bool:
        """Whether there was a credential to remove."""
        if not await self.has(slug):
            return False
        await self._store.commit(COLLECTION, slug, None, affects=_affects(slug))
        return True

    async def has(self, slug: str) -> bool:
        """Whether a server has a credential; what it is stays here."""
        return await self._store.get(COLLECTION, slug) is not None

    async def headers(self, slug: str) -> dict[str, str]:
        """The headers to send to the upstream, none without a credential. Raises SealError."""
        document = await self._store.get(COLLECTION, slug)
        if document is None:
            return {}
        opened = json.loads(self._sealer.open(document.body["sealed"], _context(slug)))
        return dict(opened["headers"])


def _affects(id: str) -> frozenset[str]:
    agent = id.removeprefix(credential_id(""))
    return affects_server(id) if agent == id else affects_agent(agent)


def _context(slug: str) -> str:
    return f"credential/{slug}"
