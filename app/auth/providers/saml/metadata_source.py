"""An identity provider's metadata from its file or address, kept for a while, renewed where that may help."""

import time
from datetime import UTC, datetime

import anyio
import httpx2
import structlog

from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.saml.errors import Refused
from app.auth.providers.saml.metadata import Metadata, read_metadata
from app.auth.providers.saml.xml import LARGEST
from app.core.models.identity_provider import SamlProviderConfig
from app.core.settings import Settings
from app.core.ssrf import EVERY_NETWORK, UpstreamRefused, guarded_transport

KEPT_S = 600.0
RENEWED_AT_MOST_EVERY_S = 30.0
"""Anybody can post a response with a certificate that nobody knows."""
DEADLINE_S = 10.0
_log = structlog.get_logger(__name__)


class MetadataSource:
    """Where a provider's metadata is. What was read once goes on being used while it cannot be read again."""

    def __init__(self, settings: Settings, config: SamlProviderConfig) -> None:
        self._settings = settings
        self._config = config
        self._known: Metadata | None = None
        self._tried_at = -KEPT_S
        self._reading = anyio.Lock()

    async def current(self) -> Metadata:
        """The metadata, read again after KEPT_S. Raises ProviderUnavailable where it never could be."""
        return await self._newer_than(KEPT_S)

    async def renewed(self) -> Metadata:
        """The metadata, read again now unless that was just done. Raises ProviderUnavailable."""
        return await self._newer_than(RENEWED_AT_MOST_EVERY_S)

    async def _newer_than(self, age: float) -> Metadata:
        async with self._reading:
            if self._known is None or time.monotonic() - self._tried_at >= age:
                self._tried_at = time.monotonic()
                try:
                    self._known = await self._read()
                except ProviderUnavailable as error:
                    if self._known is None:
                        raise
                    _log.warning(
                        "saml metadata cannot be renewed", provider=self._config.name, reason=str(error)
                    )
            return self._known

    async def _read(self) -> Metadata:
        where = self._config.metadata_url or str(self._config.metadata_file)
        named = f"the metadata of {self._config.name} at {where}"
        try:
            xml = await self._bytes()
            return read_metadata(xml, datetime.now(UTC))
        except Refused as error:
            raise ProviderUnavailable(f"{named} cannot be used: {error}") from None
        except TimeoutError:
            raise ProviderUnavailable(f"{named} did not come within {DEADLINE_S:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UpstreamRefused) as error:
            raise ProviderUnavailable(f"{named} cannot be read: {error or type(error).__name__}") from None

    async def _bytes(self) -> bytes:
        if self._config.metadata_file is not None:
            return await anyio.Path(self._config.metadata_file).read_bytes()
        text = bytearray()
        with anyio.fail_after(DEADLINE_S):
            async with (
                httpx2.AsyncClient(
                    transport=guarded_transport(self._settings, EVERY_NETWORK),
                    timeout=DEADLINE_S,
                    trust_env=False,
                ) as http,
                http.stream("GET", str(self._config.metadata_url)) as answer,
            ):
                if answer.status_code != httpx2.codes.OK:
                    raise Refused(f"it answers with status {answer.status_code}")
                async for part in answer.aiter_bytes():
                    text += part
                    if len(text) > LARGEST:
                        raise Refused(f"it has more than {LARGEST // 1024} KiB")
        return bytes(text)
