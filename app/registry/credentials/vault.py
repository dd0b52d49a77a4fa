from app.core.credentials import UpstreamCredential
from app.core.sealing import Sealer
from app.core.store import Store
from app.registry.servers.repository import affects

COLLECTION = "credentials"


class CredentialVault:
    """Servers' credentials in the store, sealed."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    async def put(self, slug: str, credential: UpstreamCredential) -> None:
        """Set or replace a server's credential, in force at every gateway."""
        body = {"sealed": credential.seal(self._sealer, slug)}
        await self._store.commit(COLLECTION, slug, body, affects=affects(slug))

    async def remove(self, slug: str) -> bool:
        """Whether there was a credential to remove."""
        if not await self.has(slug):
            return False
        await self._store.commit(COLLECTION, slug, None, affects=affects(slug))
        return True

    async def has(self, slug: str) -> bool:
        """Whether a server has a credential; what it is stays here."""
        return await self._store.get(COLLECTION, slug) is not None

    async def find(self, slug: str) -> UpstreamCredential:
        """A server's credential, an empty one where it has none. Raises SealError."""
        document = await self._store.get(COLLECTION, slug)
        if document is None:
            return UpstreamCredential()
        return UpstreamCredential.open(self._sealer, slug, document.body["sealed"])
