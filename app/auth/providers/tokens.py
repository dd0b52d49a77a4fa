"""Access tokens that providers themselves made, as credentials: agents come with what they have there."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import structlog

from app.auth.providers.base import BrowserProvider, ProviderUnavailable, provider_of
from app.auth.providers.oidc.access_token import audiences, check_access_token
from app.auth.providers.oidc.claims import first_text, groups_in, subject_in
from app.auth.providers.oidc.graph import has_overage
from app.auth.providers.oidc.provider import OidcProvider
from app.auth.providers.oidc.signed import Expired, Signed, Untrusted, check_times, unverified
from app.auth.verdict.caller import Caller, InvalidCredential
from app.core.problems import Problem

_log = structlog.get_logger(__name__)


class Groups(Protocol):
    """Knows what the groups that a provider names count as here."""

    def groups(self, provider: str, named: Iterable[str]) -> list[str]:
        """Our groups."""
        ...


class ProviderTokens:
    """The access tokens of those providers whose block names `tokens.audiences`."""

    def __init__(self, providers: Mapping[str, BrowserProvider], mappings: Groups) -> None:
        self._providers = [found for found in providers.values() if isinstance(found, OidcProvider)]
        self._mappings = mappings

    async def caller(self, value: str, resource: str) -> Caller | None:  # noqa: ARG002  (good everywhere)
        """The caller, at every resource, until the token ends: see `verify`."""
        found = await self.verify(value)
        if found is None:
            return None
        return replace(found, groups=self._mappings.groups(provider_of(found.subject), found.groups))

    async def verify(self, value: str) -> Caller | None:
        """Whose token it is, with its groups as the provider names them; None where it is of none here.

        Raises InvalidCredential; a 503 problem while a provider cannot be asked for a key it may have.
        """
        try:
            said = unverified(value)
        except Untrusted:
            return None
        issued_here = [found for found in self._providers if found.config.issuer == said.claims.get("iss")]
        if not issued_here:
            return None
        for provider in issued_here:
            if audiences(said.claims, provider.config.tokens) & set(provider.config.tokens.audiences):
                return await self._verified(provider, value)
        raise InvalidCredential("audience")

    async def _verified(self, provider: OidcProvider, value: str) -> Caller:
        name = provider.config.name
        try:
            signed = await provider.source.verified(value, provider.config.tokens.algorithms)
            check_access_token(signed, provider.config.type)
            ends = check_times(signed.claims, time.time())
        except Expired:
            raise InvalidCredential("expired") from None
        except Untrusted as error:
            _log.info("a provider's token is refused", provider=name, reason=str(error))
            raise InvalidCredential("unknown") from None
        except ProviderUnavailable as error:
            title = "It cannot be told now whose token this is"
            raise Problem(
                503, "provider-unavailable", title, str(error), headers={"Retry-After": "5"}
            ) from None
        return self._caller(provider, signed, ends)

    def _caller(self, provider: OidcProvider, signed: Signed, ends: float) -> Caller:
        config, claims = provider.config, signed.claims
        subject = subject_in(claims, config.name, config.claims)
        if subject is None:
            raise InvalidCredential("unknown")
        if has_overage(claims):
            detail = "a token with too many groups for it counts without them; give the application roles"
            _log.warning(detail, provider=config.name, subject=subject)
        groups = groups_in(claims, config.claims.groups)
        return Caller(subject, _client(config.name, claims, config.tokens.client), groups, None, ends, ends)


def _client(provider: str, claims: Mapping[str, Any], paths: Iterable[str]) -> str:
    return f"{provider}:{first_text(claims, paths) or 'unnamed'}"
