"""Tokens for a refresh token (RFC 6749, 6), which is another one after each use."""

import time
from collections.abc import Mapping

import structlog

from app.auth.clients.model import Client
from app.auth.oauth.answer import TokenAnswer, answer
from app.auth.oauth.errors import OAuthError
from app.auth.oauth.grants import Grant
from app.auth.oauth.refresh_tokens import RefreshToken, opened_seed
from app.auth.oauth.resources import narrowed as narrowed_resource
from app.auth.oauth.scopes import narrowed, requested
from app.auth.parts import Parts
from app.auth.providers.base import LoginRefused, ProviderUnavailable
from app.core.sealing import SealError
from app.core.store import Conflict

GRACE_S = 30.0
log = structlog.get_logger(__name__)


async def by_refresh(auth: Parts, client: Client, form: Mapping[str, str]) -> TokenAnswer:
    """Go on with a grant. Raises OAuthError; a token that comes again is in two hands, and ends it.

    Within GRACE_S a repeated token is a repeated request: the answer was lost, or two processes of a client
    share what they keep. It gets the very refresh token that it got before.
    """
    given = RefreshToken.parse(form.get("refresh_token", ""))
    if given is None:
        raise _unknown()
    grant, revision = await _grant(auth, client, given)
    await auth.snapshot.refresh()
    scopes = narrowed(grant.scopes, requested(form.get("scope"), auth.snapshot.scopes))
    resource = narrowed_resource(auth.settings.public_url, grant.resource, form.get("resource"))
    await _vouched_for(auth, grant)
    try:
        following = given.following(opened_seed(auth.sealer, grant.id, grant.seed or ""))
    except SealError as error:
        log.warning("a grant cannot go on", subject=grant.subject, reason=str(error))
        raise _ended("the grant was sealed by a key that is gone; log in again") from None
    if grant.refresh == given.digest:
        try:
            await auth.grants.rotate(grant, revision, following)
        except Conflict:
            await _grant(auth, client, given)  # the same request was faster, or the grant has ended
    made, token = auth.access_tokens.for_grant(grant, resource, scopes)
    return answer(made, token, time.time(), refresh_token=following.value)


async def _grant(auth: Parts, client: Client, given: RefreshToken) -> tuple[Grant, int]:
    found = await auth.grants.find(given.grant)
    if found is None or found[0].refresh is None or found[0].client_id != client.client_id:
        raise _unknown()
    grant = found[0]
    state = given.state(found[0].refresh, grant.previous)
    if state == "foreign":
        raise _unknown()
    if state == "spent" or (state == "previous" and grant.used_at + GRACE_S < time.time()):
        await auth.grants.revoke(grant.id)
        log.warning("a refresh token came again; its grant was ended", subject=grant.subject)
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


def _unknown() -> OAuthError:
    return _ended("the refresh token is unknown, over, or another client's")
