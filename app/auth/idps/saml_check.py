"""A SAML provider's metadata, as a login would read it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from app.auth.idps.schemas import Step, failed, ok, warning
from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.saml.metadata_source import MetadataSource
from app.core.models.identity_provider import SamlProviderConfig
from app.core.settings import Settings

SOON = timedelta(days=30)


async def check_saml(settings: Settings, config: SamlProviderConfig) -> AsyncIterator[Step]:
    """Each step as it is done."""
    try:
        metadata = await MetadataSource(settings, config).current()
    except ProviderUnavailable as error:
        where = "set metadata_url to where" if config.metadata_url else "put into metadata_file what"
        yield failed("metadata", str(error), f"{where} the identity provider publishes its metadata")
        return
    yield ok("metadata", f"the identity provider is {metadata.entity_id}")
    yield ok("login", f"people are sent to {metadata.login_url}")
    now = datetime.now(UTC)
    for certificate in sorted(metadata.certificates, key=lambda one: one.not_valid_after_utc):
        ends = certificate.not_valid_after_utc
        named = f"the certificate {certificate.serial_number:x}"
        if ends <= now:
            fix = "see that the provider has a newer one, and that it is in the metadata"
            yield warning("certificate", f"{named} ended on {ends:%Y-%m-%d}", fix)
        elif ends <= now + SOON:
            fix = "let the provider publish the next one in its metadata before"
            yield warning("certificate", f"{named} ends on {ends:%Y-%m-%d}", fix)
        else:
            yield ok("certificate", f"{named} is valid until {ends:%Y-%m-%d}")
    yield ok(
        "service provider",
        f"its metadata for the provider: {settings.public_url}/saml/{config.name}/metadata",
    )
