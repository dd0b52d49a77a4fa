"""Tokens of a login, from the provider's token endpoint (RFC 6749, 4.1.3 and 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from app.auth.providers.base import LoginRefused, ProviderUnavailable
from app.auth.providers.oidc.client import proof
from app.auth.providers.oidc.discovery import Discovery
from app.auth.providers.oidc.requests import Answer, ProviderRequests
from app.core.models.identity_provider import OidcProviderConfig

KNOWN_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "interaction_required",
        "not_allowed",
        "server_error",
        "temporarily_unavailable",
    }
)
"""What may be repeated of a refusal: anything else could be a secret sent back."""


@dataclass(frozen=True)
class Tokens:
    """What the provider gave."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)


async def post(
    requests: ProviderRequests, config: OidcProviderConfig, discovery: Discovery, form: Mapping[str, str]
) -> Answer:
    """One request to the token endpoint, with the client's proof. Raises ProviderUnavailable."""
    ours = await proof(config, discovery)
    return await requests.send(
        "POST", discovery.token_endpoint, form={**form, **ours.form}, headers=ours.headers
    )


async def tokens(
    requests: ProviderRequests, config: OidcProviderConfig, discovery: Discovery, form: Mapping[str, str]
) -> Tokens:
    """The tokens for a code or a refresh token. Raises LoginRefused, ProviderUnavailable."""
    answer = await post(requests, config, discovery, form)
    if answer.status != httpx2.codes.OK:
        raise _refusal(config, answer)
    access, refresh, identity = (
        value if isinstance(value := answer.body.get(name), str) and value else None
        for name in ("access_token", "refresh_token", "id_token")
    )
    if access is None:
        raise ProviderUnavailable(f"{config.name} answers at its token endpoint without an access_token")
    return Tokens(access, refresh, identity)


def _refusal(config: OidcProviderConfig, answer: Answer) -> Exception:
    code = error if (error := answer.body.get("error")) in KNOWN_ERRORS else f"status {answer.status}"
    if code in {"invalid_grant", "interaction_required"}:
        return LoginRefused(f"{config.name} does not vouch for you any more ({code}); log in again")
    if code == "not_allowed":  # Keycloak's own
        return ProviderUnavailable(
            f"{config.name} gives you no tokens for offline use (not_allowed); have it give you the role "
            "offline_access, or leave offline_access out of scopes"
        )
    return ProviderUnavailable(
        f"{config.name} gives no tokens ({code}); `gatepost idp check {config.name}` says what is wrong"
    )
