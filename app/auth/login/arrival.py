"""The end of every login, whatever provider it came by: a person, a login, a session of this browser."""

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.auth.login.attempt import clear_attempt
from app.auth.parts import Parts
from app.auth.providers.base import Arrival
from app.auth.sessions.cookie import read_cookie, set_cookie

NO_STORE = {"Cache-Control": "no-store"}


async def arrive(request: Request, auth: Parts, arrival: Arrival, after: str) -> Response:
    """Start a new session, end the one that the browser had before, and go on to `after`, a local path."""
    public_url = auth.settings.public_url
    before = read_cookie(request, public_url)
    if before is not None:
        await auth.sessions.end(before)
    await auth.people.record(arrival.person)
    login = await auth.logins.start(arrival)
    value = await auth.sessions.start(arrival.person.subject, login)
    response = RedirectResponse(after, 303, NO_STORE)
    set_cookie(response, public_url, value, auth.settings.session_hours * 3600)
    clear_attempt(response, public_url)
    return response
