from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Depends, Header, Request

from app.auth.deps import AuthParts
from app.core import caller
from app.core.etag import Precondition
from app.core.identity import IDENTITY_HEADER
from app.core.models import Scope


async def _caller(request: Request, auth: AuthParts) -> caller.Caller:
    async def scopes() -> Sequence[Scope]:
        await auth.snapshot.refresh()
        return auth.snapshot.scopes

    tokens = request.headers.getlist(IDENTITY_HEADER)
    return await caller.authenticate(tokens, auth.keys, auth.settings.public_url, scopes)


Caller = Annotated[caller.Caller, Depends(_caller)]
"""The caller with its grants; a request without a valid identity is answered 401."""


def allowed(action: str) -> Callable[..., None]:
    """A dependency that answers 403 unless the caller may do this."""

    def check(caller: Caller) -> None:
        caller.require(action)

    return check


def _precondition(if_match: Annotated[str | None, Header()] = None) -> Precondition:
    return Precondition.parse(if_match)


IfMatch = Annotated[Precondition, Depends(_precondition)]
"""The revision a change is meant for, from `If-Match`; 412 where it is another by now."""
