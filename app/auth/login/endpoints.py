from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import SecretStr

from app.auth.deps import AuthParts
from app.auth.login.page import login_page
from app.auth.login.rules import HOME, is_same_origin, local_path
from app.auth.sessions.cookie import clear_cookie, read_cookie, set_cookie
from app.core.problems import Problem

router = APIRouter()
NO_STORE = {"Cache-Control": "no-store"}
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
async def show_login(after: Annotated[str, Query(alias="next")] = HOME) -> HTMLResponse:
    """The login form."""
    return login_page(local_path(after))


@router.post("/login", dependencies=[Depends(_same_origin)])
async def log_in(
    request: Request,
    auth: AuthParts,
    username: Annotated[str, Form()] = "",
    password: Annotated[SecretStr | None, Form()] = None,
    after: Annotated[str, Form(alias="next")] = HOME,
) -> Response:
    """Start a session and go on to `next`; the form again, with one answer for every wrong pair."""
    after = local_path(after)
    username = username[:LONGEST_NAME]
    address = request.client.host if request.client else ""
    if wait := auth.failures.attempt(username, address):
        error = f"Too many failed attempts. Try again in {wait} seconds."
        return login_page(after, username=username, error=error, status=429, retry_after_s=wait)
    secret = password.get_secret_value() if password else ""
    person = await auth.provider.authenticate(username, secret)
    if person is None:
        return login_page(after, username=username, error="User name or password is wrong.", status=403)
    auth.failures.succeeded(username, address)
    response = RedirectResponse(after, 303, NO_STORE)
    set_cookie(response, auth.settings.public_url, await auth.sessions.start(person))
    return response


@router.post("/logout", dependencies=[Depends(_same_origin)])
async def log_out(request: Request, auth: AuthParts) -> Response:
    """End the session, here and at every gateway, and show the login form."""
    value = read_cookie(request, auth.settings.public_url)
    if value is not None:
        await auth.sessions.end(value)
    response = RedirectResponse("/login", 303, NO_STORE)
    clear_cookie(response, auth.settings.public_url)
    return response
