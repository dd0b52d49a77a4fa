"""A provider's discovery document and keys, as they are now."""

from collections.abc import Collection, Mapping
from typing import Any

from app.auth.background import Background
from app.auth.clients.keys import usable_keys
from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.oidc.discovery import Discovery, Unusable, discovery_url, read_discovery
from app.auth.providers.oidc.published import Published
from app.auth.providers.oidc.requests import ProviderRequests
from app.auth.providers.oidc.signed import Signed, UnknownSigner, verified

MOST_KEYS = 100


class Source:
    """What one provider publishes. All methods raise ProviderUnavailable."""

    def __init__(self, requests: ProviderRequests, issuer: str, background: Background) -> None:
        self._requests = requests
        self._issuer = issuer
        self._discovery = Published(self._read_discovery, background)
        self._keys = Published(self._read_keys, background)

    async def discovery(self) -> Discovery:
        """The endpoints."""
        return await self._discovery.current()

    async def reachable(self) -> Discovery:
        """The endpoints of a provider that answers at this moment."""
        return await self._discovery.recent()

    async def verified(self, token: str, algorithms: Collection[str]) -> Signed:
        """What a token says that the provider signed. Raises Untrusted.

        A key that is not known makes it ask for the keys anew: the provider may have made it just now.
        """
        try:
            return verified(token, await self._keys.current(), algorithms)
        except UnknownSigner:
            return verified(token, await self._keys.renewed(), algorithms)

    async def _read_discovery(self) -> Discovery:
        url = discovery_url(self._issuer)
        try:
            return read_discovery(await self._requests.document(url), self._issuer)
        except Unusable as error:
            raise ProviderUnavailable(f"{self._requests.provider} cannot be used: {error}") from None

    async def _read_keys(self) -> Mapping[str, Any]:
        discovery = await self._discovery.current()
        keys = usable_keys(await self._requests.document(discovery.jwks_uri), MOST_KEYS)
        if not keys["keys"]:
            raise ProviderUnavailable(
                f"{self._requests.provider} publishes no key at {discovery.jwks_uri} that could sign here"
            )
        return keys
