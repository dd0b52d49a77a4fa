from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.auth.clients.model import Client
from app.auth.deps import AuthParts
from app.auth.login.rules import LONGEST
from app.auth.oauth.asking import AGAIN, ANEW, ask, back, browser_of, client_of, granted, offered_to
from app.auth.oauth.described import AUTHORIZE_QUERY
from app.auth.oauth.errors import NO_STORE, OAuthError
from app.auth.oauth.page import fault_page
from app.auth.oauth.parameters import once
from app.auth.oauth.request import Wanted, stays_on_device, wanted
from app.auth.parts import Parts

router = APIRouter(tags=["OAuth"])


@router.get("/oauth/authorize", response_class=Response, openapi_extra=AUTHORIZE_QUERY)
async def authorize(request: Request, auth: AuthParts) -> Response:
    """Ask the person for what a client wants, unless that was given before (RFC 6749, 4.1.1)."""
    try:
        given = once(request.query_params.multi_items())
        client = await client_of(auth, given.get("client_id"), given.get("redirect_uri"))
    except OAuthError as error:
        return _not_valid(error)
    await auth.snapshot.refresh()
    try:
        want = wanted(given, client, auth.settings.public_url, auth.snapshot.scopes)
        return await _asked(request, auth, given, client, want)
    except OAuthError as error:
        if await _leads_astray(request, auth, given, client):
            return _not_valid(error)
        return back(
            auth,
            given["redirect_uri"],
            given.get("state"),
            error=error.error,
            error_description=error.description,
        )


def _not_valid(error: OAuthError) -> Response:
    fix = ANEW if error.error == "invalid_client" else AGAIN
    return fault_page(f"The request of the program is not valid: {error.description}.", fix, error.status)


async def _leads_astray(request: Request, auth: Parts, given: Mapping[str, str], client: Client) -> bool:
    # A link to us that is wrong on purpose would lead anybody to a site that registered itself: such a site
    # is told only of people who are logged in, or silently (RFC 9700, 4.11.2).
    if client.kind == "preregistered" or stays_on_device(given["redirect_uri"]):
        return False
    return given.get("prompt") != "none" and await browser_of(request, auth) is None


async def _asked(
    request: Request, auth: Parts, given: Mapping[str, str], client: Client, want: Wanted
) -> Response:
    browser = await browser_of(request, auth)
    if browser is None or {"login", "select_account"}.intersection(want.prompts):
        if "none" in want.prompts:
            raise OAuthError("login_required", "nobody is logged in")
        return _to_login(given, want)
    scopes = offered_to(auth, browser.person, want)
    if await auth.consents.cover(browser.person.subject, want) and (scopes or want.scopes is None):
        names = None if want.scopes is None else [scope.name for scope in scopes]
        return await granted(auth, browser, want, names)
    if "none" in want.prompts:
        raise OAuthError("consent_required", "the person must be asked")
    return ask(auth, browser, client, want, scopes)


def _to_login(given: Mapping[str, str], want: Wanted) -> Response:
    # The login that is asked for is made once: the request comes back without it.
    prompts = [prompt for prompt in want.prompts if prompt == "consent"]
    again = {**given, "prompt": " ".join(prompts)}
    path = f"/oauth/authorize?{urlencode(again)}"
    if len(path) > LONGEST:
        raise OAuthError(
            "invalid_request", f"the request is longer than the {LONGEST} characters that a login takes along"
        )
    query = {"next": path}
    if want.prompts and prompts != want.prompts:
        query["choose"] = "true"
    return RedirectResponse(f"/login?{urlencode(query)}", 303, NO_STORE)
