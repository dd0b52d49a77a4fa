"""Whose an access token is now: its person, client and grant as they are at this moment."""

from dataclasses import dataclass

from app.auth.clients.model import SUBJECT
from app.auth.clients.service import Clients
from app.auth.oauth.access import AccessToken, AccessTokens
from app.auth.oauth.errors import OAuthError
from app.auth.oauth.grants import Grant, Grants
from app.auth.oauth.revocations import Revocations
from app.auth.people.service import People
from app.auth.providers.base import provider_of
from app.auth.snapshot import Snapshot
from app.core.keys import InvalidToken


class Revoked(InvalidToken):
    """The token was good once: it, its grant or its client is gone."""


@dataclass(frozen=True)
class Holder:
    """A token in force, with the groups that its subject is in now."""

    token: AccessToken
    groups: list[str]
    grant: Grant | None


class Holders:
    """Finds who holds a token; the store is asked, so that what was revoked is never answered."""

    def __init__(
        self,
        *,
        tokens: AccessTokens,
        revocations: Revocations,
        grants: Grants,
        clients: Clients,
        people: People,
        snapshot: Snapshot,
    ) -> None:
        self._tokens = tokens
        self._revocations = revocations
        self._grants = grants
        self._clients = clients
        self._people = people
        self._snapshot = snapshot

    async def find(self, value: str) -> Holder:
        """The holder of a token that `is_ours`. Raises InvalidToken; Revoked."""
        token = await self._tokens.read(value)
        known = await self._clients.known(token.client_id, token.issued_at)
        if not known or await self._revocations.covers(token):
            raise Revoked("it was revoked")
        if token.grant is None:
            return Holder(token, await self._groups_of_client(token), None)
        found = await self._grants.find(token.grant)
        if found is None:
            raise Revoked("what it was given by has ended")
        grant, _ = found
        return Holder(token, await self._groups_of(grant), grant)

    async def _groups_of(self, grant: Grant) -> list[str]:
        if grant.groups is not None:
            return self._snapshot.groups(provider_of(grant.subject), grant.groups)
        person = await self._people.find(grant.subject)
        if person is None:
            raise Revoked("its person is not known any more")
        return self._snapshot.groups(person.provider, person.groups)

    async def _groups_of_client(self, token: AccessToken) -> list[str]:
        owner = token.subject.removeprefix(SUBJECT)
        try:
            client = await self._clients.find(owner)
        except OAuthError:
            raise Revoked("its client is not known any more") from None
        if not await self._clients.known(owner, token.issued_at):
            raise Revoked("its client was made anew since")
        if client.kind != "preregistered" or "client_credentials" not in client.grant_types:
            raise Revoked("its client may not act for itself any more")
        return client.groups
