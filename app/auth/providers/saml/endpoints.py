import hmac
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.auth.deps import AuthParts
from app.auth.login.arrival import NO_STORE, arrive
from app.auth.login.attempt import read_attempt
from app.auth.login.page import login_page
from app.auth.login.rules import HOME
from app.auth.parts import Parts
from app.auth.providers.base import Arrival, ProviderUnavailable
from app.auth.providers.saml.errors import Refused
from app.auth.providers.saml.outcomes import Outcomes
from app.auth.providers.saml.person import person_in
from app.auth.providers.saml.provider import SamlProvider
from app.auth.providers.saml.sp_metadata import MEDIA_TYPE, sp_metadata
from app.core.problems import Problem

router = APIRouter(prefix="/saml/{provider}")
_log = structlog.get_logger(__name__)


@router.get("/metadata")
async def metadata(auth: AuthParts, provider: str) -> Response:
    """What the identity provider must know of us."""
    found = _provider(auth, provider)
    return Response(sp_metadata(found.entity_id, found.acs_url), media_type=MEDIA_TYPE)


@router.post("/acs")
async def consume(
    auth: AuthParts, provider: str, response: Annotated[str, Form(alias="SAMLResponse")] = ""
) -> Response:
    """Take what the identity provider had the browser post, which comes without the cookies of this site.

    It starts no session: the browser goes on to our own page, which knows whether this browser asked.
    """
    found = _provider(auth, provider)
    try:
        assertion = await found.read(response)
        person = person_in(assertion, provider, found.config.claims)
        id = await Outcomes(auth.store).keep(assertion, person)
    except Refused as error:
        return _refused(auth, provider, error)
    except ProviderUnavailable as error:
        return login_page(auth.settings, HOME, error=str(error), status=503)
    return RedirectResponse(f"/saml/{provider}/finish?id={id}", 303, NO_STORE)


@router.get("/finish")
async def finish(
    request: Request, auth: AuthParts, provider: str, id: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Start the session, where the response answers the very request that this browser made."""
    _provider(auth, provider)
    attempt = read_attempt(request, auth.sealer, auth.settings.public_url, provider)
    outcome = await Outcomes(auth.store).fetch(id)
    if outcome is None:
        return _refused(
            auth, provider, Refused("this login was finished already or took too long; log in again")
        )
    answers = attempt is not None and hmac.compare_digest(outcome.request.encode(), attempt.state.encode())
    if attempt is None or not answers or outcome.person.provider != provider:
        return _refused(
            auth, provider, Refused("this browser did not ask for this login, or too long ago; log in again")
        )
    return await arrive(request, auth, Arrival(outcome.person), attempt.after)


def _provider(auth: Parts, name: str) -> SamlProvider:
    found = auth.providers.get(name)
    if not isinstance(found, SamlProvider):
        detail = "GATEPOST_IDENTITY_PROVIDERS names the providers and their types"
        raise Problem(404, "no-such-provider", "There is no SAML provider of that name", detail)
    return found


def _refused(auth: Parts, provider: str, error: Refused) -> Response:
    _log.warning("saml login refused", provider=provider, reason=str(error))
    return login_page(auth.settings, HOME, error=f"You are not logged in: {error}.", status=403)
