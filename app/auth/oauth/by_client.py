"""Tokens for a client that acts for itself (RFC 6749, 4.4)."""

import time
from collections.abc import Mapping

from app.auth.clients.model import SUBJECT, Client
from app.auth.oauth.access import AccessToken
from app.auth.oauth.answer import TokenAnswer, answer
from app.auth.oauth.errors import OAuthError
from app.auth.oauth.resources import resource_path
from app.auth.oauth.scopes import requested
from app.auth.parts import Parts


async def by_client(auth: Parts, client: Client, form: Mapping[str, str]) -> TokenAnswer:
    """A token for what the client's own groups allow at a resource. Raises OAuthError."""
    if client.kind != "preregistered" or client.auth_method == "none":
        raise OAuthError(
            "unauthorized_client",
            "only clients that an administrator registered, with a secret or a key, may",
        )
    if not client.groups:
        raise OAuthError("unauthorized_client", "this client has no groups, so nothing that it may do itself")
    if "resource" not in form:
        raise OAuthError("invalid_target", "resource is missing: name what the token is for")
    await auth.snapshot.refresh()
    token = AccessToken(
        subject=f"{SUBJECT}{client.client_id}",
        client_id=client.client_id,
        resource=resource_path(auth.settings.public_url, form["resource"]),
        scopes=requested(form.get("scope"), auth.snapshot.scopes),
        expires_at=auth.access_tokens.life_end(),
    )
    return answer(auth.access_tokens.sign(token), token, time.time())
