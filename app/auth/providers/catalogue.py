"""From the blocks of the setting to providers that work."""

from app.auth.providers.base import BrowserProvider
from app.core.settings import Settings


def browser_providers(_settings: Settings) -> dict[str, BrowserProvider]:
    """The providers to which a browser is sent, by name, in the order of the setting."""
    return {}
