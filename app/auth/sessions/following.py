"""Sessions and personal tokens follow what the provider says: who leaves there is out here too."""

import time

import structlog

from app.auth.providers.base import LoginRefused, Person, ProviderUnavailable
from app.auth.sessions.logins import Logins
from app.auth.sessions.renewal import Renewal
from app.auth.sessions.service import Session, Sessions
from app.core.models.identity_provider import LOCAL
from app.core.store.lease import LeaseTaken

RENEWED_AFTER_S = 900.0
OWNER_ASKED_AFTER_S = 3600.0
_log = structlog.get_logger(__name__)


class Following:
    """Asks the provider anew, at the use of a session whose login was checked long ago."""

    def __init__(self, sessions: Sessions, logins: Logins, renewal: Renewal) -> None:
        self._sessions = sessions
        self._logins = logins
        self._renewal = renewal

    async def follow(self, value: str, session: Session) -> None:
        """Renew the login of the session with that cookie where it is time; end the session if refused."""
        login = await self._logins.find(session.login)
        if login is not None and login.checked_at + RENEWED_AFTER_S > time.time():
            return
        try:
            await self._renewal.renew(session.login)
        except LoginRefused as refusal:
            _log.info("a session is ended", subject=session.subject, reason=str(refusal))
            await self._sessions.end(value)
        except (ProviderUnavailable, LeaseTaken) as failure:
            _log.warning("a login could not be renewed", subject=session.subject, reason=str(failure))

    async def follow_owner(self, person: Person) -> None:
        """Renew the newest login of a token's owner whom the provider did not vouch for lately."""
        if person.provider == LOCAL or person.seen_at + OWNER_ASKED_AFTER_S > time.time():
            return
        try:
            await self._renewal.renew_person(person)
        except (LoginRefused, ProviderUnavailable, LeaseTaken) as failure:
            _log.info("a token's owner could not be renewed", subject=person.subject, reason=str(failure))
