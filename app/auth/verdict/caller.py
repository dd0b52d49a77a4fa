"""From a credential, as the client sent it, to who that is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.auth.background import Background
from app.auth.people.service import People
from app.auth.sessions.following import Following
from app.auth.sessions.service import Sessions
from app.auth.snapshot import Snapshot

Reason = Literal["unknown", "expired", "revoked", "malformed", "audience"]


class InvalidCredential(Exception):  # noqa: N818  (what it is, not a fault)
    """A credential that proves nothing; `reason` is one word for the client."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Caller:
    """Somebody with a valid credential. `scopes` narrows the groups' rights; None does not.

    `groups` are ours, mappings applied. `expires_at` is when the credential ends, in seconds since the
    epoch; None for never. `token_ends` is the same for a token, and None for a session: tokens that a person
    makes may outlive the login. `steps_up` is whether the client can ask for more scopes than it has,
    `refreshes` whether it holds a refresh token, which it would ask for again.
    """

    subject: str
    client: str
    groups: list[str]
    scopes: list[str] | None
    expires_at: float | None
    token_ends: float | None = None
    steps_up: bool = False
    refreshes: bool = False


class Bearer(Protocol):
    """One kind of bearer token."""

    async def caller(self, value: str, resource: str) -> Caller | None:
        """Whose token it is, for use at `resource` (a path); None where it is not of this kind.

        Raises InvalidCredential; a Problem where that cannot be told now.
        """
        ...


class Callers:
    """Knows people and programs by their tokens and sessions."""

    def __init__(
        self,
        bearers: Sequence[Bearer],
        sessions: Sessions,
        people: People,
        snapshot: Snapshot,
        *,
        background: Background,
        following: Following,
    ) -> None:
        self._following = following
        self._bearers = bearers
        self._sessions = sessions
        self._people = people
        self._snapshot = snapshot
        self._background = background

    async def identify(self, authorization: str | None, session: str | None, resource: str) -> Caller:
        """The caller with this Authorization header or, without one, this session cookie.

        Raises InvalidCredential.
        """
        if authorization is not None:
            return await self._by_token(authorization, resource)
        if session:
            return await self._by_session(session)
        raise InvalidCredential("malformed")

    async def _by_token(self, authorization: str, resource: str) -> Caller:
        scheme, _, value = authorization.partition(" ")
        value = value.strip(" ")
        if scheme.lower() == "bearer":
            for bearer in self._bearers:
                if caller := await bearer.caller(value, resource):
                    return _alive(caller)
        raise InvalidCredential("malformed")

    async def _by_session(self, value: str) -> Caller:
        session = await self._sessions.find(value)
        person = None if session is None else await self._people.find(session.subject)
        if session is None or person is None:
            raise InvalidCredential("unknown")
        self._background.run("note a session's use", self._sessions.touch(value))
        self._background.run("renew a session's login", self._following.follow(value, session))
        groups = self._snapshot.groups(person.provider, person.groups)
        return Caller(session.subject, session.client, groups, None, session.expires_at)


def _alive(caller: Caller) -> Caller:
    # A clock may differ when a token is read; a verdict that is over when it is given helps nobody.
    if caller.expires_at is not None and caller.expires_at <= time.time():
        raise InvalidCredential("expired")
    return caller
