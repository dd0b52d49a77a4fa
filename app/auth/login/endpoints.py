from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import SecretStr

from app.auth.deps import AuthParts
from app.auth.login.arrival import NO_STORE, arrive
from app.auth.login.attempt import Attempt, set_attempt
from app.auth.login.leaving import leave
from app.auth.login.page import login_page
from app.auth.login.rules import HOME, is_same_origin, local_path
from app.auth.providers.base import Arrival, ProviderUnavailable
from app.auth.sessions.cookie import clear_cookie, read_cookie
from app.core.problems import Problem

router = APIRouter()
LONGEST_NAME = 128
"""What the table of failed logins keeps of a name."""


async def _same_origin(
    auth: AuthParts,
    origin: Annotated[str | None, Header()] = None,
    site: Annotated[str | None, Header(alias="Sec-Fetch-Site")] = None,
) -> None:
    public_url = auth.settings.public_url
    if not is_same_origin(public_url, origin, site):
        detail = f"open {public_url}/login and log in there; a program sends `Origin: {public_url}`"
        raise Problem(403, "foreign-origin", "The form was not sent from the gateway's own page", detail)


@router.get("/login")
async def show_login(
    auth: AuthParts, after: Annotated[str, Query(alias="next")] = HOME, choose: bool = False
) -> Response:
    """The ways to log in; a default provider is used at once, unless the person wants to `choose`."""
    after = local_path(after)
    default = next((found.name for found in auth.settings.providers if found.default), None)
    if default and not choose and default in auth.providers:
        return await begin(auth, default, after)
    return login_page(auth.settings, after)


@router.get("/login/{provider}")
async def begin(
    auth: AuthParts, provider: str, after: Annotated[str, Query(alias="next")] = HOME
) -> Response:
    """Send the browser to a provider."""
    after = local_path(after)
    found = auth.providers.get(provider)
    if found is None:
        error = "There is no such way to log in here; choose one of these."
        return login_page(auth.settings, after, error=error, status=404)
    attempt = Attempt(provider, after)
    try:
        response = RedirectResponse(await found.begin(attempt), 303, NO_STORE)
    except ProviderUnavailable as error:
        return login_page(auth.settings, after, error=str(error), status=503)
    set_attempt(response, auth.sealer, auth.settings.public_url, attempt)
    return response


@router.post("/login", dependencies=[Depends(_same_origin)])
async def log_in(
    request: Request,
    auth: AuthParts,
    username: Annotated[str, Form()] = "",
    password: Annotated[SecretStr | None, Form()] = None,
    after: Annotated[str, Form(alias="next")] = HOME,
) -> Response:
    """Log in with a password and go on to `next`; the form again, with one answer for every wrong pair."""
    after = local_path(after)
    if auth.local is None:
        error = "There are no passwords here; choose a way to log in."
        return login_page(auth.settings, after, error=error, status=404)
    username = username[:LONGEST_NAME]
    address = request.client.host if request.client else ""
    if wait := auth.failures.attempt(username, address):
        error = f"Too many failed attempts. Try again in {wait} seconds."
        return login_page(
            auth.settings, after, username=username, error=error, status=429, retry_after_s=wait
        )
    secret = password.get_secret_value() if password else ""
    person = await auth.local.authenticate(username, secret)
    if person is None:
        error = "User name or password is wrong."
        return login_page(auth.settings, after, username=username, error=error, status=403)
    auth.failures.succeeded(username, address)
    return await arrive(request, auth, Arrival(person), after)


@router.post("/logout", dependencies=[Depends(_same_origin)])
async def log_out(request: Request, auth: AuthParts) -> Response:
    """End the session, here, at every gateway and, where it has such a place, at the provider."""
    value = read_cookie(request, auth.settings.public_url)
    session = None if value is None else await auth.sessions.end(value)
    response = await leave(auth, session)
    clear_cookie(response, auth.settings.public_url)
    return response
