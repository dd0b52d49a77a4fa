"""What asking a person for a client's wishes takes, before the page and after it."""

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.auth.clients.documents import is_document_url
from app.auth.clients.model import Client
from app.auth.clients.redirects import redirect_uri_allowed
from app.auth.oauth import consent_form
from app.auth.oauth.codes import Code
from app.auth.oauth.consent_form import Question
from app.auth.oauth.errors import NO_STORE, OAuthError
from app.auth.oauth.grants import new_id
from app.auth.oauth.page import consent_page
from app.auth.oauth.request import Wanted, answer_url
from app.auth.oauth.scopes import offered
from app.auth.parts import Parts
from app.auth.providers.base import Person
from app.auth.sessions.cookie import read_cookie
from app.auth.sessions.service import Session
from app.core.models import Scope

ANEW = (
    "If it worked before, its registration has ended: take this address out of the program and add it again, "
    "so that it registers anew."
)
AGAIN = "Start the login again from the program that you want to use."


@dataclass(frozen=True)
class Browser:
    """The person at the browser, by the session's cookie."""

    cookie: str
    session: Session
    person: Person


async def browser_of(request: Request, auth: Parts) -> Browser | None:
    """Who is at the browser; None for nobody who is logged in."""
    cookie = read_cookie(request, auth.settings.public_url)
    session = cookie and await auth.sessions.find(cookie)
    person = session and await auth.people.find(session.subject)
    return Browser(cookie, session, person) if cookie and session and person else None


async def client_of(auth: Parts, client_id: str | None, redirect_uri: str | None) -> Client:
    """The client that sends a request, where the redirect URI is its own. Raises OAuthError."""
    if client_id is None:
        raise OAuthError("invalid_request", "client_id is missing")
    client = await _known(auth, client_id)
    if redirect_uri is None or not redirect_uri_allowed(client, redirect_uri):
        raise OAuthError("invalid_redirect_uri", "redirect_uri is none that this client registered")
    return client


async def _known(auth: Parts, client_id: str) -> Client:
    try:
        return await auth.clients.find(client_id)
    except OAuthError as error:
        if is_document_url(client_id) or error.error != "invalid_client":
            raise
        # Nothing was to be proven here; a program that kept an id for long was forgotten meanwhile.
        raise OAuthError(error.error, "the client_id is of no program that is registered here", 400) from None


def offered_to(auth: Parts, person: Person, want: Wanted) -> list[Scope]:
    """The scopes of a person that a client can be given."""
    groups = auth.snapshot.groups(person.provider, person.groups)
    return offered(groups, auth.snapshot.scopes, want.resource, want.scopes)


def ask(
    auth: Parts, browser: Browser, client: Client, want: Wanted, scopes: list[Scope], *, error: str = ""
) -> Response:
    """The consent page; `scopes` are those to choose from."""
    question = Question(want, [scope.name for scope in scopes])
    sealed = consent_form.seal(auth.sealer, browser.cookie, question)
    return consent_page(client, browser.person, want, scopes, sealed, error=error)


async def granted(auth: Parts, browser: Browser, want: Wanted, scopes: list[str] | None) -> Response:
    """Back to the client with a code for these scopes, None for all."""
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
    return back(auth, want.redirect_uri, want.state, code=await auth.codes.issue(code))


def back(auth: Parts, redirect_uri: str, state: str | None, **answer: str) -> Response:
    """To the redirect URI with an answer."""
    url = answer_url(redirect_uri, auth.settings.public_url, state, **answer)
    return RedirectResponse(url, 303, {**NO_STORE, "Referrer-Policy": "no-referrer"})
