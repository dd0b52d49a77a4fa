"""An OpenID provider's configuration, tried at the live provider; nobody logs in."""

import time
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from app.auth.clients.keys import signers, usable_keys
from app.auth.idps.authorization_check import try_authorization
from app.auth.idps.schemas import Step, failed, ok, warning
from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.oidc.discovery import Discovery, Unusable, discovery_url, read_discovery
from app.auth.providers.oidc.provider import OidcProvider
from app.auth.providers.oidc.source import MOST_KEYS
from app.auth.providers.oidc.token_endpoint import KNOWN_ERRORS, post
from app.core.models.identity_provider import OidcProviderConfig

MOST_SKEW_S = 30
NO_CODE = "gatepost-idp-check"


async def check_oidc(provider: OidcProvider) -> AsyncIterator[Step]:
    """Each step as it is done; those that need an earlier one are left out where that failed."""
    config = provider.config
    url = discovery_url(config.issuer)
    try:
        answer = await provider.requests.send("GET", url)
    except ProviderUnavailable as error:
        yield failed(
            "connection", str(error), f"make {url} reachable from the auth server, or correct issuer"
        )
        return
    if answer.status != httpx2.codes.OK:
        yield failed(
            "connection",
            f"{url} answers with status {answer.status}",
            "correct issuer: its discovery document is not there",
        )
        return
    yield ok("connection", f"{url} answers")
    try:
        discovery = read_discovery(answer.body, config.issuer)
    except Unusable as error:
        yield failed("discovery", str(error), "set issuer to exactly the one that the provider documents")
        return
    yield ok("discovery", f"the issuer is {discovery.issuer}, with all endpoints that are needed")
    yield _clock(answer.headers.get("date"))
    yield await _keys(provider, discovery)
    yield await _client(provider, discovery)
    yield await try_authorization(provider, discovery)
    yield _scopes(config, discovery)
    yield _groups(config, answer.body)
    yield _tokens(config)
    yield _logout(config, discovery)


def _clock(date: str | None) -> Step:
    try:
        skew = abs(parsedate_to_datetime(date or "").timestamp() - time.time())
    except ValueError:
        return ok("clock", "it does not say what time it has")
    if skew > MOST_SKEW_S:
        return failed("clock", f"its clock and ours are {skew:.0f} s apart", "have both follow NTP")
    return ok("clock", "its clock and ours agree")


async def _keys(provider: OidcProvider, discovery: Discovery) -> Step:
    try:
        found = usable_keys(await provider.requests.document(discovery.jwks_uri), MOST_KEYS)
    except ProviderUnavailable as error:
        return failed("keys", str(error), f"make {discovery.jwks_uri} reachable from the auth server")
    allowed = provider.config.tokens.algorithms
    usable = [name for name in allowed if name in discovery.algorithms and signers(found, name, None)]
    if not usable:
        says = ", ".join(sorted(discovery.algorithms))
        detail = f"it signs by {says}; none of {', '.join(allowed)} has a key there"
        return failed("keys", detail, "have it sign by one of those, or allow its own in tokens.algorithms")
    return ok("keys", f"{len(found['keys'])} keys, for {', '.join(usable)}")


async def _client(provider: OidcProvider, discovery: Discovery) -> Step:
    form = {
        "grant_type": "authorization_code",
        "code": NO_CODE,
        "redirect_uri": provider.redirect_uri,
        "code_verifier": NO_CODE * 3,
    }
    try:
        answer = await post(provider.requests, provider.config, discovery, form)
    except ProviderUnavailable as failure:
        return failed("client", str(failure), "give the client secret or key that the provider has")
    error = answer.body.get("error")
    if error == "invalid_grant":
        return ok("client", f"the provider knows {provider.config.client_id} and accepts its proof")
    if error in {"invalid_client", "unauthorized_client"} or answer.status == httpx2.codes.UNAUTHORIZED:
        detail = f"the provider refuses the client {provider.config.client_id} or its secret"
        return failed("client", detail, "copy client_id and secret (or key) from the provider anew")
    said = error if error in KNOWN_ERRORS else f"status {answer.status}"
    detail = f"the provider answers a made-up code with {said} and not with invalid_grant"
    return warning("client", detail, "see that authorization code is allowed for the client")


def _scopes(config: OidcProviderConfig, discovery: Discovery) -> Step:
    unknown = [] if discovery.scopes is None else [s for s in config.scopes if s not in discovery.scopes]
    if unknown:
        detail = f"the provider does not list {', '.join(unknown)}"
        return warning("scopes", detail, "leave them out of scopes where a login is refused for them")
    return ok("scopes", " ".join(config.scopes))


def _groups(config: OidcProviderConfig, document: Mapping[str, Any]) -> Step:
    paths = ", ".join(config.claims.groups)
    known = document.get("claims_supported")
    listed = isinstance(known, list) and any(path.partition("/")[0] in known for path in config.claims.groups)
    if config.type == "oidc" and known and not listed:
        detail = f"groups are read from {paths}, which the provider does not list among its claims"
        return warning(
            "groups", detail, "have the provider send that claim, or name its own in claims.groups"
        )
    return ok("groups", f"read from {paths}; the first login shows whether the provider sends them")


def _tokens(config: OidcProviderConfig) -> Step:
    if not config.tokens.audiences:
        return ok("tokens", "its own access tokens are not accepted: tokens.audiences is empty")
    return ok("tokens", f"its own access tokens are accepted for {', '.join(config.tokens.audiences)}")


def _logout(config: OidcProviderConfig, discovery: Discovery) -> Step:
    if config.type == "cognito" or discovery.end_session_endpoint:
        return ok("logout", "a logout here ends the session at the provider too")
    detail = "the provider has no end_session_endpoint: its session outlives a logout here"
    return warning("logout", detail, "people log out there as well, where that matters")
