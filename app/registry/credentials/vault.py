from app.core.credentials import UpstreamCredential
from app.core.models.agent import credential_id
from app.core.sealing import Sealer
from app.core.store import Store
from app.registry.agents.repository import affects as affects_agent
from app.registry.servers.repository import affects as affects_server

COLLECTION = "credentials"


class CredentialVault:
    """Credentials of upstreams in the store, sealed.

    A server's is kept by its slug, an agent's by `models.agent.credential_id`.
    """

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    async def put(self, id: str, credential: UpstreamCredential) -> None:
        """Set or replace a credential, in force at every gateway."""
        body = {"sealed": credential.seal(self._sealer, id)}
        await self._store.commit(COLLECTION, id, body, affects=_affects(id))

    async def remove(self, id: str) -> bool:
        """Whether there was a credential to remove."""
        if not await self.has(id):
            return False
        await self._store.commit(COLLECTION, id, None, affects=_affects(id))
        return True

    async def has(self, id: str) -> bool:
        """Whether there is a credential; what it is stays here."""
        return await self._store.get(COLLECTION, id) is not None

    async def find(self, id: str) -> UpstreamCredential:
        """The credential, an empty one where there is none. Raises SealError."""
        document = await self._store.get(COLLECTION, id)
        if document is None:
            return UpstreamCredential()
        return UpstreamCredential.open(self._sealer, id, document.body["sealed"])


def _affects(id: str) -> frozenset[str]:
    agent = id.removeprefix(credential_id(""))
    return affects_server(id) if agent == id else affects_agent(agent)
