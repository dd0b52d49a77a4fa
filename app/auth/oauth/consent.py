from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from app.auth.deps import AuthParts
from app.auth.login.rules import is_same_origin
from app.auth.oauth import consent_form
from app.auth.oauth.asking import AGAIN, Browser, ask, back, browser_of, client_of, granted, offered_to
from app.auth.oauth.consent_form import Question
from app.auth.oauth.errors import OAuthError
from app.auth.oauth.page import fault_page
from app.auth.oauth.parameters import form_pairs
from app.auth.parts import Parts

router = APIRouter(tags=["OAuth"])


@router.post("/oauth/consent", response_class=Response)
async def decide(
    request: Request,
    auth: AuthParts,
    origin: Annotated[str | None, Header()] = None,
    site: Annotated[str | None, Header(alias="Sec-Fetch-Site")] = None,
) -> Response:
    """What the person answered, on our own page and in the session that was asked."""
    if not is_same_origin(auth.settings.public_url, origin, site):
        return fault_page("The answer was not sent from the gateway's own page.", AGAIN, 403)
    try:
        fields = await form_pairs(request)
        values = dict(fields)
    except OAuthError as error:
        return fault_page(f"The answer is not readable: {error.description}.", AGAIN, error.status)
    browser = await browser_of(request, auth)
    sealed = values.get("request", "")
    question = None if browser is None else consent_form.unseal(auth.sealer, browser.cookie, sealed)
    if browser is None or question is None:
        return fault_page("The question is too old, or was asked in another session.", AGAIN)
    return await _decided(auth, browser, question, fields)


async def _decided(
    auth: Parts, browser: Browser, question: Question, fields: list[tuple[str, str]]
) -> Response:
    want = question.wanted
    if ("decision", "allow") not in fields:
        return back(
            auth,
            want.redirect_uri,
            want.state,
            error="access_denied",
            error_description="the person did not allow it",
        )
    try:
        # The client may be gone since, and others may be its redirect URIs by now.
        client = await client_of(auth, want.client_id, want.redirect_uri)
    except OAuthError as error:
        return fault_page(f"The program is not known any more: {error.description}.", AGAIN, error.status)
    try:
        scopes = consent_form.given(question, fields)
    except ValueError as error:
        await auth.snapshot.refresh()
        return ask(auth, browser, client, want, offered_to(auth, browser.person, want), error=str(error))
    await auth.consents.remember(browser.person.subject, want, scopes)
    return await granted(auth, browser, want, scopes)
