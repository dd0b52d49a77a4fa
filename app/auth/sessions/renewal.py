"""Asking a provider again who somebody is, by the login that they made."""

import time
from collections.abc import Mapping
from dataclasses import replace

from app.auth.people.service import People
from app.auth.providers.base import Arrival, BrowserProvider, LoginRefused, Person, ProviderUnavailable
from app.auth.providers.local import LocalProvider
from app.auth.sessions.logins import Login, Logins
from app.core.models.identity_provider import LOCAL
from app.core.store import Store
from app.core.store.lease import LeaseTaken, lease

OTHERS_TRIED = 5


class _Refused(LoginRefused):
    def __init__(self, reason: str, person: Person, person_may_be_gone: bool) -> None:
        super().__init__(reason)
        self.person = person
        self.person_may_be_gone = person_may_be_gone


class Renewal:
    """Renews logins; one that cannot be renewed is over `life_s` after it was made."""

    def __init__(
        self,
        store: Store,
        *,
        logins: Logins,
        people: People,
        local: LocalProvider | None,
        providers: Mapping[str, BrowserProvider],
        life_s: float,
    ) -> None:
        self._store = store
        self._logins = logins
        self._people = people
        self._local = local
        self._providers = providers
        self._life_s = life_s

    async def renew(self, id: str) -> None:
        """Have the provider vouch for the person anew, and record what it says.

        Of many that ask at once one asks the provider. Raises LoginRefused where it no longer does or the
        login is over, ProviderUnavailable. Who is refused by all logins that outlive a browser loses the
        provider's groups, so that personal tokens end too.
        """
        try:
            await self._renew(id)
        except _Refused as refusal:
            await self._logins.end(id)
            if refusal.person_may_be_gone and not await self._vouched_for_elsewhere(refusal.person):
                await self._people.record(replace(refusal.person, groups=[]))
            raise LoginRefused(str(refusal)) from None

    async def renew_person(self, person: Person) -> None:
        """Have the provider vouch for a person by the newest login. Raises as `renew` does."""
        for id in (await self._logins.of(person.subject))[:1]:
            await self.renew(id)

    async def _vouched_for_elsewhere(self, person: Person) -> bool:
        for id in (await self._logins.of(person.subject))[:OTHERS_TRIED]:
            try:
                await self._renew(id)
            except _Refused:
                await self._logins.end(id)
            except (LoginRefused, LeaseTaken):
                continue
            except ProviderUnavailable:
                return True  # not known: nothing is taken from anybody
            else:
                return True
        return False

    async def _renew(self, id: str) -> None:
        before = await self._found(id)
        # A provider's refresh token may count once: one process uses it at a time.
        async with lease(self._store, f"login/{id}"):
            login = await self._found(id)
            if login.checked_at != before.checked_at:
                return
            arrival = await self._asked(login)
            if arrival is not None:
                await self._logins.keep(id, arrival)
                await self._people.record(arrival.person)
            elif login.checked_at + self._life_s <= time.time():
                raise LoginRefused(f"{login.provider} cannot be asked again; log in again")

    async def _found(self, id: str) -> Login:
        login = await self._logins.find(id)
        if login is None:
            raise LoginRefused("the login is over; log in again")
        return login

    async def _asked(self, login: Login) -> Arrival | None:
        if login.provider == LOCAL:
            found = None if self._local is None else await self._local.person(login.subject)
            if found is None:
                raise LoginRefused("there is no such person here any more")
            return Arrival(found)
        person = await self._people.find(login.subject)
        if person is None:
            raise LoginRefused("there is no such person here any more")
        provider = self._providers.get(login.provider)
        if provider is None:  # taken out of the settings, perhaps since it is not trusted any more
            raise _Refused(f"{login.provider} is no provider here any more", person, True)
        try:
            return await provider.renew(Arrival(person, login.refresh_token, login.id_token))
        except LoginRefused as refusal:
            raise _Refused(str(refusal), person, provider.outlives_browser) from None
