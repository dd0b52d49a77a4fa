"""Tokens for a refresh token (RFC 6749, 6), which is another one after each use."""

import time
from collections.abc import Mapping

import structlog

from app.auth.clients.model import Client
from app.auth.oauth.answer import TokenAnswer, answer
from app.auth.oauth.errors import OAuthError
from app.auth.oauth.grants import Grant
from app.auth.oauth.refresh_tokens import RefreshToken
from app.auth.oauth.resources import narrowed as narrowed_resource
from app.auth.oauth.scopes import narrowed, requested
from app.auth.parts import Parts
from app.auth.providers.base import LoginRefused, ProviderUnavailable
from app.core.store import Conflict

log = structlog.get_logger(__name__)


async def by_refresh(auth: Parts, client: Client, form: Mapping[str, str]) -> TokenAnswer:
    """Go on with a grant; a token that comes again is in two hands, and ends it. Raises OAuthError."""
    given = RefreshToken.parse(form.get("refresh_token", ""))
    grant, revision = await _grant(auth, client, given)
    assert given is not None  # noqa: S101  (there is no grant without)
    await auth.snapshot.refresh()
    scopes = narrowed(grant.scopes, requested(form.get("scope"), auth.snapshot.scopes))
    resource = narrowed_resource(auth.settings.public_url, grant.resource, form.get("resource"))
    await _vouched_for(auth, grant)
    following = given.rotated()
    try:
        await auth.grants.rotate(grant, revision, following)
    except Conflict:
        await auth.grants.revoke(grant.id)
        raise _ended("the refresh token was used twice at once") from None
    made, token = auth.access_tokens.for_grant(grant, resource, scopes)
    return answer(made, token, time.time(), refresh_token=following.value)


async def _grant(auth: Parts, client: Client, given: RefreshToken | None) -> tuple[Grant, int]:
    found = None if given is None else await auth.grants.find(given.grant)
    state = given.state(found[0].refresh or ":") if found and given else "foreign"
    if found is None or state == "foreign" or found[0].client_id != client.client_id:
        raise _ended("the refresh token is unknown, over, or another client's")
    if state == "spent":
        await auth.grants.revoke(found[0].id)
        log.warning("a refresh token came again; its grant was ended", subject=found[0].subject)
        raise _ended("the refresh token was used before, so what it was made of has ended; log in again")
    return found


async def _vouched_for(auth: Parts, grant: Grant) -> None:
    if grant.login is None:
        raise _ended("nobody vouches for it any more; log in again")
    try:
        await auth.renewal.renew(grant.login)
    except LoginRefused as refusal:
        await auth.grants.revoke(grant.id)
        raise _ended(f"the login is over: {refusal}") from None
    except ProviderUnavailable as failure:
        # What is known of the person goes on: an outage of the provider ends nobody's work.
        log.warning("a provider was not there for a refresh", subject=grant.subject, reason=str(failure))


def _ended(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)
