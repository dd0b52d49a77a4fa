"""Tokens for an authorization code (RFC 6749, 4.1.3)."""

import time
from collections.abc import Mapping

from app.auth.clients.model import Client
from app.auth.oauth.answer import TokenAnswer, answer
from app.auth.oauth.codes import Code
from app.auth.oauth.errors import OAuthError
from app.auth.oauth.grants import Grant
from app.auth.oauth.pkce import proves
from app.auth.oauth.refresh_tokens import RefreshToken, sealed_seed
from app.auth.oauth.resources import narrowed
from app.auth.parts import Parts
from app.core.store import Conflict


async def by_code(auth: Parts, client: Client, form: Mapping[str, str]) -> TokenAnswer:
    """Redeem a code, once. Raises OAuthError; one that comes again ends what was made of it."""
    value = form.get("code")
    if value is None:
        raise OAuthError("invalid_request", "code is missing")
    code = await auth.codes.redeem(value)
    if code is None:
        if (used_for := await auth.codes.used_for(value)) is not None:
            await auth.grants.revoke(used_for)
        raise OAuthError("invalid_grant", "the code is unknown, over, or was used before")
    _check(code, client, form)
    resource = narrowed(auth.settings.public_url, code.resource, form.get("resource"))
    refresh = RefreshToken.new(code.grant) if "refresh_token" in client.grant_types else None
    now = time.time()
    grant = Grant(
        id=code.grant,
        kind="code",
        subject=code.subject,
        client_id=client.client_id,
        client_name=client.name,
        resource=code.resource,
        scopes=code.scopes,
        login=code.login,
        refresh=None if refresh is None else refresh.digest,
        seed=None if refresh is None else sealed_seed(auth.sealer, code.grant),
        created_at=now,
        used_at=now,
    )
    try:
        await auth.grants.create(grant)
    except Conflict:
        raise OAuthError("invalid_grant", "the code was used twice at once") from None
    made, token = auth.access_tokens.for_grant(grant, resource, grant.scopes)
    return answer(made, token, now, refresh_token=None if refresh is None else refresh.value)


def _check(code: Code, client: Client, form: Mapping[str, str]) -> None:
    if code.client_id != client.client_id:
        raise OAuthError("invalid_grant", "the code was given to another client")
    if form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
        raise OAuthError("invalid_grant", "redirect_uri is not that of the authorization request")
    if not proves(form.get("code_verifier"), code.challenge):
        raise OAuthError("invalid_grant", "code_verifier does not prove who asked for the code")
