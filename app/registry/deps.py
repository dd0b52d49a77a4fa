from collections.abc import Callable
from typing import Annotated, cast

from fastapi import Depends, Header, Path, Query, Request

from app.core import caller
from app.core.etag import Precondition
from app.core.identity import IDENTITY_HEADER
from app.core.models import SLUG_PATTERN
from app.registry.caller import authenticate
from app.registry.services import Services


def services_of(request: Request) -> Services:
    """The services of the application that answers this request."""
    return cast("Services", request.app.state.registry)


RegistryServices = Annotated[Services, Depends(services_of)]


async def _caller(request: Request, services: RegistryServices) -> caller.Caller:
    return await authenticate(services, request.headers.getlist(IDENTITY_HEADER))


Caller = Annotated[caller.Caller, Depends(_caller)]
"""The caller with its grants; a request without a valid identity is answered 401."""


def _precondition(if_match: Annotated[str | None, Header()] = None) -> Precondition:
    return Precondition.parse(if_match)


IfMatch = Annotated[Precondition, Depends(_precondition)]
"""The revision a change is meant for, from `If-Match`; 412 where it is another by now."""

Slug = Annotated[str, Path(pattern=SLUG_PATTERN)]
Limit = Annotated[int, Query(ge=1, le=1000, description="items a page")]
Cursor = Annotated[str | None, Query(max_length=2048, description="`next_cursor` of the page before")]


def allowed(action: str) -> Callable[..., None]:
    """A dependency that answers 403 unless the caller may do this on every server."""

    def check(caller: Caller) -> None:
        caller.require(action)

    return check
