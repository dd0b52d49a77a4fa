"""From the blocks of the setting to providers that work."""

from collections.abc import Iterator

from app.auth.background import Background
from app.auth.providers.base import BrowserProvider
from app.auth.providers.oidc.provider import OidcProvider
from app.auth.providers.saml.provider import SamlProvider
from app.core.models.identity_provider import OidcProviderConfig, SamlProviderConfig
from app.core.settings import Settings


def browser_providers(settings: Settings, background: Background) -> dict[str, BrowserProvider]:
    """The providers to which a browser is sent, by name, in the order of the setting."""
    return dict(_made(settings, background))


def _made(settings: Settings, background: Background) -> Iterator[tuple[str, BrowserProvider]]:
    for config in settings.providers:
        match config:
            case OidcProviderConfig():
                yield config.name, OidcProvider(settings, config, background)
            case SamlProviderConfig():
                yield config.name, SamlProvider(settings, config)
