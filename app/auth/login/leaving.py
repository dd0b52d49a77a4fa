"""The end of a browser session at its provider, where that has a place for it."""

import structlog
from fastapi.responses import RedirectResponse, Response

from app.auth.login.arrival import NO_STORE
from app.auth.login.page import leaving_page
from app.auth.parts import Parts
from app.auth.providers.base import Arrival, Person, ProviderUnavailable
from app.auth.sessions.logins import Login
from app.auth.sessions.service import Session
from app.core.sealing import SealError

BACK = "/login?choose=true"
_log = structlog.get_logger(__name__)


async def leave(auth: Parts, session: Session | None) -> Response:
    """Forget the login of a session that has ended, and send the browser to the provider's logout.

    A login lives on while an OAuth client works by it: that ends with its grant. With the provider away the
    logout is ours alone.
    """
    login = None if session is None else await _login(auth, session)
    url = None if login is None else await _url(auth, login)
    if login is not None and not await auth.grants.work_by(login.id):
        await auth.logins.end(login.id)
        auth.background.run("tell a provider that a login is over", _forget(auth, login))
    if login is None or url is None:
        return RedirectResponse(BACK, 303, NO_STORE)
    shown = next(found.shown for found in auth.settings.providers if found.name == login.provider)
    return leaving_page(shown, url)


async def _login(auth: Parts, session: Session) -> Login | None:
    try:
        return await auth.logins.find(session.login)
    except SealError:
        return None


async def _url(auth: Parts, login: Login) -> str | None:
    provider = auth.providers.get(login.provider)
    if provider is None:
        return None
    try:
        return await provider.logout_url(_arrival(login), auth.settings.public_url + BACK)
    except ProviderUnavailable as failure:
        _log.warning("a logout was not told to the provider", provider=login.provider, reason=str(failure))
        return None


async def _forget(auth: Parts, login: Login) -> None:
    provider = auth.providers.get(login.provider)
    if provider is None:
        return
    try:
        await provider.forget(_arrival(login))
    except ProviderUnavailable as failure:
        _log.warning("a refresh token lives on at the provider", provider=login.provider, reason=str(failure))


def _arrival(login: Login) -> Arrival:
    return Arrival(Person(login.subject, login.provider, []), login.refresh_token, login.id_token)
