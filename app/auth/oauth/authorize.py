from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Request
from fastapi.responses import RedirectResponse, Response

from app.auth.clients.model import Client
from app.auth.clients.redirects import redirect_uri_allowed
from app.auth.deps import AuthParts
from app.auth.login.rules import is_same_origin
from app.auth.oauth import consent_form
from app.auth.oauth.codes import Code
from app.auth.oauth.consent_form import Question
from app.auth.oauth.described import AUTHORIZE_QUERY
from app.auth.oauth.errors import NO_STORE, OAuthError
from app.auth.oauth.grants import new_id
from app.auth.oauth.page import consent_page, fault_page
from app.auth.oauth.parameters import form_pairs, once
from app.auth.oauth.request import Wanted, answer_url, wanted
from app.auth.oauth.scopes import offered
from app.auth.parts import Parts
from app.auth.providers.base import Person
from app.auth.sessions.cookie import read_cookie
from app.auth.sessions.service import Session
from app.core.models import Scope

router = APIRouter(tags=["OAuth"])
AGAIN = "Start the login again from the program that you want to use."


@dataclass(frozen=True)
class _Browser:
    """The person at the browser, by the session's cookie."""

    cookie: str
    session: Session
    person: Person


@router.get("/oauth/authorize", response_class=Response, openapi_extra=AUTHORIZE_QUERY)
async def authorize(request: Request, auth: AuthParts) -> Response:
    """Ask the person for what a client wants, unless that was given before (RFC 6749, 4.1.1)."""
    try:
        given = once(request.query_params.multi_items())
        client = await _client(auth, given.get("client_id"), given.get("redirect_uri"))
    except OAuthError as error:
        return fault_page(
            f"The request of the program is not valid: {error.description}.", AGAIN, error.status
        )
    await auth.snapshot.refresh()
    try:
        want = wanted(given, client, auth.settings.public_url, auth.snapshot.scopes)
        return await _asked(request, auth, given, client, want)
    except OAuthError as error:
        return _back(
            auth,
            given["redirect_uri"],
            given.get("state"),
            error=error.error,
            error_description=error.description,
        )


async def _client(auth: Parts, client_id: str | None, redirect_uri: str | None) -> Client:
    if client_id is None:
        raise OAuthError("invalid_request", "client_id is missing")
    client = await auth.clients.find(client_id)
    if redirect_uri is None or not redirect_uri_allowed(client, redirect_uri):
        raise OAuthError("invalid_redirect_uri", "redirect_uri is none that this client registered")
    return client


async def _asked(
    request: Request, auth: Parts, given: Mapping[str, str], client: Client, want: Wanted
) -> Response:
    browser = await _browser(request, auth)
    if browser is None or {"login", "select_account"}.intersection(want.prompts):
        if "none" in want.prompts:
            raise OAuthError("login_required", "nobody is logged in")
        return _to_login(given, want)
    scopes = _offered(auth, browser.person, want)
    if await auth.consents.cover(browser.person.subject, want) and (scopes or want.scopes is None):
        names = None if want.scopes is None else [scope.name for scope in scopes]
        return await _granted(auth, browser, want, names)
    if "none" in want.prompts:
        raise OAuthError("consent_required", "the person must be asked")
    return _ask(auth, browser, client, want, scopes)


def _ask(
    auth: Parts, browser: _Browser, client: Client, want: Wanted, scopes: list[Scope], *, error: str = ""
) -> Response:
    question = Question(want, [scope.name for scope in scopes])
    sealed = consent_form.seal(auth.sealer, browser.cookie, question)
    return consent_page(client, browser.person, want, scopes, sealed, error=error)


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
    browser = await _browser(request, auth)
    sealed = values.get("request", "")
    question = None if browser is None else consent_form.unseal(auth.sealer, browser.cookie, sealed)
    if browser is None or question is None:
        return fault_page("The question is too old, or was asked in another session.", AGAIN)
    return await _decided(auth, browser, question, fields)


async def _decided(
    auth: Parts, browser: _Browser, question: Question, fields: list[tuple[str, str]]
) -> Response:
    want = question.wanted
    if ("decision", "allow") not in fields:
        return _back(
            auth,
            want.redirect_uri,
            want.state,
            error="access_denied",
            error_description="the person did not allow it",
        )
    try:
        # The client may be gone since, and others may be its redirect URIs by now.
        client = await _client(auth, want.client_id, want.redirect_uri)
    except OAuthError as error:
        return fault_page(f"The program is not known any more: {error.description}.", AGAIN, error.status)
    try:
        scopes = consent_form.given(question, fields)
    except ValueError as error:
        await auth.snapshot.refresh()
        return _ask(auth, browser, client, want, _offered(auth, browser.person, want), error=str(error))
    await auth.consents.remember(browser.person.subject, want, scopes)
    return await _granted(auth, browser, want, scopes)


async def _granted(auth: Parts, browser: _Browser, want: Wanted, scopes: list[str] | None) -> Response:
    code = Code(
        client_id=want.client_id,
        redirect_uri=want.redirect_uri,
        challenge=want.challenge,
        subject=browser.person.subject,
        login=browser.session.login,
        resource=want.resource,
        scopes=scopes,
        grant=new_id(),
    )
    return _back(auth, want.redirect_uri, want.state, code=await auth.codes.issue(code))


async def _browser(request: Request, auth: Parts) -> _Browser | None:
    cookie = read_cookie(request, auth.settings.public_url)
    session = cookie and await auth.sessions.find(cookie)
    person = session and await auth.people.find(session.subject)
    return _Browser(cookie, session, person) if cookie and session and person else None


def _offered(auth: Parts, person: Person, want: Wanted) -> list[Scope]:
    groups = auth.snapshot.groups(person.provider, person.groups)
    return offered(groups, auth.snapshot.scopes, want.resource, want.scopes)


def _to_login(given: Mapping[str, str], want: Wanted) -> Response:
    # The login that is asked for is made once: the request comes back without it.
    prompts = [prompt for prompt in want.prompts if prompt == "consent"]
    again = {**given, "prompt": " ".join(prompts)}
    query = {"next": f"/oauth/authorize?{urlencode(again)}"}
    if want.prompts and prompts != want.prompts:
        query["choose"] = "true"
    return RedirectResponse(f"/login?{urlencode(query)}", 303, NO_STORE)


def _back(auth: Parts, redirect_uri: str, state: str | None, **answer: str) -> Response:
    url = answer_url(redirect_uri, auth.settings.public_url, state, **answer)
    return RedirectResponse(url, 303, {**NO_STORE, "Referrer-Policy": "no-referrer"})
