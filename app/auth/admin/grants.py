from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, status
from pydantic import BaseModel

from app.auth.admin.caller import Caller
from app.auth.deps import AuthParts
from app.auth.oauth.grants import Grant
from app.core.paging import ListPage
from app.core.problems import Problem

router = APIRouter(prefix="/api/grants", tags=["grants"])
Subject = Annotated[
    str | None, Query(max_length=512, description="whose, default: the caller's; needs `grants:write`")
]
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class GrantView(BaseModel):
    """What a client holds; `scopes` null for all that its owner may do at `resource`."""

    id: str
    kind: Literal["code", "exchange"]
    subject: str
    client_id: str
    client_name: str
    resource: str
    scopes: list[str] | None
    created_at: datetime
    used_at: datetime


@router.get("")
async def list_grants(
    auth: AuthParts,
    caller: Caller,
    subject: Subject = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="items a page")] = 100,
    cursor: Annotated[str | None, Query(max_length=64, description="`next_cursor` before")] = None,
) -> ListPage[GrantView]:
    """Which clients hold what of the caller, newest first."""
    found = await auth.grants.of(_owner(caller, subject))
    rest = [grant for grant in found if cursor is None or _place(grant) < cursor]
    items = [_view(grant, auth.settings.public_url) for grant in rest[:limit]]
    return ListPage(items=items, next_cursor=_place(rest[limit - 1]) if len(rest) > limit else None)


@router.delete("/{grant_id}", status_code=status.HTTP_204_NO_CONTENT)
async def end_grant(auth: AuthParts, caller: Caller, grant_id: Id, subject: Subject = None) -> None:
    """End what a client holds, at every gateway within two seconds; it has to ask the person again."""
    owner = _owner(caller, subject)
    found = await auth.grants.find(grant_id)
    if found is None or found[0].subject != owner:
        detail = f"{owner} has given nothing under this id; GET /api/grants lists what there is"
        raise Problem(404, "not-found", "There is no such grant", detail)
    # First, since one that is asked for between the two would be given without a question.
    await auth.consents.forget(owner, found[0].client_id)
    await auth.grants.revoke(grant_id)


def _owner(caller: Caller, subject: str | None) -> str:
    if subject is None or subject == caller.identity.subject:
        return caller.identity.subject
    caller.require("grants:write")
    return subject


def _place(grant: Grant) -> str:
    return f"{grant.created_at:017.6f}-{grant.id}"


def _view(grant: Grant, public_url: str) -> GrantView:
    return GrantView(
        id=grant.id,
        kind=grant.kind,
        subject=grant.subject,
        client_id=grant.client_id,
        client_name=grant.client_name,
        resource=f"{public_url}{grant.resource}",
        scopes=grant.scopes,
        created_at=datetime.fromtimestamp(grant.created_at, UTC),
        used_at=datetime.fromtimestamp(grant.used_at, UTC),
    )
