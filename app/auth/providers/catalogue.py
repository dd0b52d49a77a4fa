"""From the blocks of the setting to providers that work."""

from app.auth.providers.base import BrowserProvider
from app.auth.providers.saml.provider import SamlProvider
from app.core.models.identity_provider import SamlProviderConfig
from app.core.settings import Settings


def browser_providers(settings: Settings) -> dict[str, BrowserProvider]:
    """The providers to which a browser is sent, by name, in the order of the setting."""
    return {
        config.name: SamlProvider(settings, config)
        for config in settings.providers
        if isinstance(config, SamlProviderConfig)
    }
