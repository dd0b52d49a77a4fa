"""Personal access tokens as credentials: they do what their owner may do now, or less."""

import time

from app.auth.background import Background
from app.auth.people.service import People
from app.auth.sessions.following import Following
from app.auth.snapshot import Snapshot
from app.auth.verdict.caller import Caller, InvalidCredential
from app.core.models import Token
from app.core.tokens import TokenStore, well_formed


class PersonalTokens:
    """The bearer tokens that people make for themselves."""

    def __init__(
        self,
        tokens: TokenStore,
        people: People,
        snapshot: Snapshot,
        *,
        background: Background,
        following: Following,
    ) -> None:
        self._tokens = tokens
        self._people = people
        self._snapshot = snapshot
        self._background = background
        self._following = following

    async def caller(self, value: str, resource: str) -> Caller | None:  # noqa: ARG002  (good everywhere)
        """The owner, at every resource. Raises InvalidCredential."""
        if not well_formed(value):
            return None
        token = await self._tokens.find(value)
        if token is None:
            raise InvalidCredential("unknown")
        _check(token)
        person = await self._people.find(token.subject)
        groups = []
        if person is not None:
            groups = self._snapshot.groups(person.provider, person.groups)
            self._background.run("renew a token's owner", self._following.follow_owner(person))
        self._background.run("note a token's use", self._tokens.touch(token))
        ends = None if token.expires_at is None else token.expires_at.timestamp()
        return Caller(token.subject, f"token:{token.id}", groups, token.scopes, ends, ends)


def _check(token: Token) -> None:
    if token.revoked_at is not None:
        raise InvalidCredential("revoked")
    if token.expires_at is not None and token.expires_at.timestamp() <= time.time():
        raise InvalidCredential("expired")
