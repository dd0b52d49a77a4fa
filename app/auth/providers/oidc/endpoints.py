import hmac
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from app.auth.deps import AuthParts
from app.auth.login.arrival import arrive
from app.auth.login.attempt import Attempt, clear_attempt, read_attempt
from app.auth.login.page import login_page
from app.auth.login.rules import HOME
from app.auth.parts import Parts
from app.auth.providers.base import Arrival, LoginRefused, ProviderUnavailable
from app.auth.providers.oidc.provider import OidcProvider
from app.core.problems import Problem

router = APIRouter()
_REASONS = {
    "access_denied": "the login was cancelled, or you may not use this application there",
    "login_required": "the provider wants you to log in anew",
    "invalid_scope": "the provider does not know one of the scopes that are configured here",
    "unauthorized_client": "the provider does not let this application log people in",
    "temporarily_unavailable": "the provider is overloaded; try again in a while",
    "server_error": "the provider has an error of its own; try again in a while",
}
_log = structlog.get_logger(__name__)


class Answer(BaseModel):
    """What a provider has the browser bring (RFC 6749, 4.1.2; RFC 9207); other members are ignored."""

    state: str = Field("", max_length=256)
    code: str = Field("", max_length=8192)
    iss: str | None = Field(None, max_length=2048)
    error: str | None = Field(None, max_length=256)


@router.get("/callback/{provider}")
async def callback(
    request: Request,
    auth: AuthParts,
    provider: str,
    given: Annotated[Answer, Query()],
) -> Response:
    """Start a session where a provider sends the browser back in answer to this browser's own attempt."""
    found = auth.providers.get(provider)
    if not isinstance(found, OidcProvider):
        detail = "GATEPOST_IDENTITY_PROVIDERS names the providers and their types"
        raise Problem(404, "no-such-provider", "There is no OpenID provider of that name", detail)
    attempt = read_attempt(request, auth.sealer, auth.settings.public_url, provider)
    if attempt is None or not hmac.compare_digest(given.state.encode(), attempt.state.encode()):
        reason = "this browser did not ask for this login, or too long ago; log in again"
        return _page(auth, provider, HOME, reason, 403)
    try:
        arrival = await _arrival(found, attempt, given)
    except LoginRefused as refusal:
        return _used(auth, _page(auth, provider, attempt.after, str(refusal), 403))
    except ProviderUnavailable as failure:
        return _used(auth, _page(auth, provider, attempt.after, str(failure), 503))
    return await arrive(request, auth, arrival, attempt.after)


async def _arrival(provider: OidcProvider, attempt: Attempt, given: Answer) -> Arrival:
    await provider.check_answerer(given.iss)
    if given.error is not None:
        raise LoginRefused(_REASONS.get(given.error, f"{provider.config.shown} refuses; try again"))
    return await provider.finish(attempt, given.code)


def _page(auth: Parts, provider: str, after: str, reason: str, status: int) -> Response:
    _log.warning("login refused", provider=provider, reason=reason)
    return login_page(auth.settings, after, error=f"You are not logged in: {reason}.", status=status)


def _used(auth: Parts, response: Response) -> Response:
    clear_attempt(response, auth.settings.public_url)
    return response
