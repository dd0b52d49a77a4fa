from datetime import UTC, datetime

from app.auth.login.attempt import Attempt
from app.auth.providers.base import Arrival
from app.auth.providers.saml.assertion import Assertion, Expected
from app.auth.providers.saml.errors import UnknownCertificate
from app.auth.providers.saml.metadata import Metadata
from app.auth.providers.saml.metadata_source import MetadataSource
from app.auth.providers.saml.request import login_url
from app.auth.providers.saml.response import read_response
from app.core.models.identity_provider import SamlProviderConfig
from app.core.settings import Settings


class SamlProvider:
    """A SAML 2.0 identity provider that a browser is sent to (SAML profiles, 4.1)."""

    outlives_browser = False

    def __init__(self, settings: Settings, config: SamlProviderConfig) -> None:
        own = f"{settings.public_url}/saml/{config.name}"
        self.config = config
        self.acs_url = f"{own}/acs"
        self.entity_id = config.entity_id or f"{own}/metadata"
        self._metadata = MetadataSource(settings, config)

    async def begin(self, attempt: Attempt) -> str:
        """The URL to send the browser to, with a request whose id is `attempt.state`."""
        idp = await self._metadata.current()
        return login_url(idp.login_url, entity_id=self.entity_id, acs_url=self.acs_url, id=attempt.state)

    async def read(self, response: str) -> Assertion:
        """The assertion that the provider posted. Raises Refused, ProviderUnavailable."""
        try:
            return self._read(response, await self._metadata.current())
        except UnknownCertificate:
            return self._read(response, await self._metadata.renewed())

    async def renew(self, _arrival: Arrival) -> Arrival | None:
        """None: SAML has no way to ask again without the browser."""
        return None

    async def forget(self, _arrival: Arrival) -> None:
        """Nothing was given to ask again with."""

    async def logout_url(self, _arrival: Arrival, _back_to: str) -> str | None:
        """None: a logout request must be signed (SAML profiles, 4.4.4.1), and requests are not."""
        return None

    def _read(self, response: str, idp: Metadata) -> Assertion:
        expected = Expected(idp.entity_id, self.entity_id, self.acs_url)
        return read_response(response, idp, expected, datetime.now(UTC))
