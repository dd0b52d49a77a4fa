"""From a credential, as the client sent it, to who that is."""

import time
from dataclasses import dataclass
from typing import Literal

from app.auth.background import Background
from app.auth.sessions.service import Sessions
from app.core.models import Token
from app.core.tokens import TokenStore, well_formed

Reason = Literal["unknown", "expired", "revoked", "malformed"]


class InvalidCredential(Exception):  # noqa: N818  (what it is, not a fault)
    """A credential that proves nothing; `reason` is one word for the client."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Caller:
    """Somebody with a valid credential. `scopes` narrows the groups' rights; None does not.

    `expires_at` is when the credential ends, in seconds since the epoch; None for never. `token_ends` is
    the same for a token, and None for a session: tokens that a person makes may outlive the login.
    """

    subject: str
    client: str
    groups: list[str]
    scopes: list[str] | None
    expires_at: float | None
    token_ends: float | None = None


class Callers:
    """Knows people by their tokens and sessions."""

    def __init__(self, tokens: TokenStore, sessions: Sessions, background: Background) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._background = background

    async def identify(self, authorization: str | None, session: str | None) -> Caller:
        """The caller with this Authorization header or, without one, this session cookie.

        Raises InvalidCredential.
        """
        if authorization is not None:
            return await self._by_token(authorization)
        if session:
            return await self._by_session(session)
        raise InvalidCredential("malformed")

    async def _by_token(self, authorization: str) -> Caller:
        scheme, _, value = authorization.partition(" ")
        value = value.strip(" ")
        if scheme.lower() != "bearer" or not well_formed(value):
            raise InvalidCredential("malformed")
        token = await self._tokens.find(value)
        if token is None:
            raise InvalidCredential("unknown")
        _check(token)
        self._background.run("note a token's use", self._tokens.touch(token))
        ends = None if token.expires_at is None else token.expires_at.timestamp()
        return Caller(token.subject, f"token:{token.id}", token.groups, token.scopes, ends, ends)

    async def _by_session(self, value: str) -> Caller:
        session = await self._sessions.find(value)
        if session is None:
            raise InvalidCredential("unknown")
        return Caller(session.subject, session.client, session.groups, None, session.expires_at)


def _check(token: Token) -> None:
    if token.revoked_at is not None:
        raise InvalidCredential("revoked")
    if token.expires_at is not None and token.expires_at.timestamp() <= time.time():
        raise InvalidCredential("expired")
