"""Token exchange (RFC 8693): a token of a provider, or one of ours, for a narrower one of ours."""

import time
from collections.abc import Mapping

from app.auth.clients.model import Client
from app.auth.oauth.access import AccessToken
from app.auth.oauth.answer import TokenAnswer, answer
from app.auth.oauth.errors import OAuthError
from app.auth.oauth.grants import Grant, new_id
from app.auth.oauth.resources import narrowed as narrowed_resource
from app.auth.oauth.resources import resource_path
from app.auth.oauth.scopes import narrowed, requested
from app.auth.parts import Parts
from app.auth.verdict.caller import Caller, InvalidCredential
from app.core.keys import InvalidToken

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TYPES = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN = f"{_TYPES}access_token"
_SUBJECT_TYPES = frozenset({ACCESS_TOKEN, f"{_TYPES}id_token", f"{_TYPES}jwt"})


async def exchange(auth: Parts, client: Client, form: Mapping[str, str]) -> TokenAnswer:
    """A token for the subject of another one, for one resource, that ends no later. Raises OAuthError."""
    value, resource = _checked(form)
    await auth.snapshot.refresh()
    wanted = requested(form.get("scope"), auth.snapshot.scopes)
    if auth.access_tokens.is_ours(value):
        token = await _of_ours(auth, client, value, resource, wanted)
    else:
        token = await _of_provider(auth, client, value, resource, wanted)
    return answer(auth.access_tokens.sign(token), token, time.time(), issued_token_type=ACCESS_TOKEN)


def _checked(form: Mapping[str, str]) -> tuple[str, str]:
    if "actor_token" in form or "actor_token_type" in form:
        raise OAuthError("invalid_request", "actor_token is not supported: the client itself is who acts")
    if "subject_token" not in form or form.get("subject_token_type") not in _SUBJECT_TYPES:
        raise OAuthError(
            "invalid_request",
            f"subject_token, and subject_token_type {ACCESS_TOKEN} (or id_token, jwt), must be there",
        )
    if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise OAuthError("invalid_request", f"requested_token_type must be {ACCESS_TOKEN}")
    targets = {form[name].removesuffix("/") for name in ("resource", "audience") if name in form}
    if len(targets) != 1:
        raise OAuthError("invalid_target", "name one resource that the token is for")
    return form["subject_token"], targets.pop()


async def _of_ours(
    auth: Parts, client: Client, value: str, resource: str, wanted: list[str] | None
) -> AccessToken:
    try:
        given = (await auth.holders.find(value)).token
    except InvalidToken as error:
        raise OAuthError("invalid_grant", f"subject_token is not valid: {error}") from None
    return AccessToken(
        subject=given.subject,
        client_id=client.client_id,
        resource=narrowed_resource(auth.settings.public_url, given.resource, resource),
        scopes=narrowed(given.scopes, wanted),
        expires_at=auth.access_tokens.life_end(given.expires_at),
        grant=given.grant,
        parents=(*given.parents, given.id),
    )


async def _of_provider(
    auth: Parts, client: Client, value: str, resource: str, wanted: list[str] | None
) -> AccessToken:
    path = resource_path(auth.settings.public_url, resource)
    caller = await _vouched_for(auth, value)
    ends = auth.access_tokens.life_end(caller.expires_at)
    now = time.time()
    grant = Grant(
        id=new_id(),
        kind="exchange",
        subject=caller.subject,
        client_id=client.client_id,
        client_name=client.name,
        resource=path,
        scopes=narrowed(caller.scopes, wanted),
        groups=caller.groups,
        created_at=now,
        used_at=now,
    )
    await auth.grants.create(grant)
    return AccessToken(grant.subject, grant.client_id, path, grant.scopes, ends, grant.id)


async def _vouched_for(auth: Parts, value: str) -> Caller:
    try:
        caller = await auth.provider_tokens.verify(value)
    except InvalidCredential as error:
        raise OAuthError("invalid_grant", f"subject_token is not valid: {error.reason}") from None
    if caller is None:
        raise OAuthError("invalid_grant", "subject_token is of no provider whose tokens are accepted here")
    return caller
