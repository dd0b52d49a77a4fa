from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from app.core.paging import ListPage
from app.core.problems import Problem
from app.registry.deps import Caller, Cursor, Limit, RegistryServices
from app.registry.people.repository import PeopleRepository
from app.registry.tokens.schemas import CreatedToken, NewToken, TokenAnswer
from app.registry.tokens.service import lasting, maker, narrowed, owner, page

router = APIRouter(prefix="/api/tokens", tags=["tokens"])
Subject = Annotated[
    str | None, Query(max_length=512, description="whose, default: the caller's; needs `tokens:write`")
]


@router.get("")
async def list_tokens(
    caller: Caller,
    services: RegistryServices,
    subject: Subject = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ListPage[TokenAnswer]:
    """The caller's own tokens, newest first; revoked and expired ones for a while too."""
    whose = owner(caller, subject)
    tokens, after = page(await services.tokens.list(whose), limit, cursor)
    uses = await services.tokens.last_uses(whose)
    return ListPage(items=[TokenAnswer.of(token, uses.get(token.id)) for token in tokens], next_cursor=after)


@router.post("", status_code=status.HTTP_201_CREATED)
async def make_token(
    new: NewToken, caller: Caller, services: RegistryServices, response: Response
) -> CreatedToken:
    """Make a token of the caller's; its value is in this answer and nowhere else.

    It reaches no further and lasts no longer than the personal token that makes it, ends with that, and loses
    what its owner loses. Tokens of OAuth clients and of providers make none.
    """
    who = caller.identity
    if await PeopleRepository(services.store).find(who.subject) is None:
        detail = f"{who.subject} never logged in here; a program gets its tokens at /oauth/token"
        raise Problem(403, "not-a-person", "Personal tokens are for people", detail)
    made_by = maker(who)
    scopes = narrowed(who, new.scopes, await services.scopes.current())
    ends = lasting(who, new, services.settings.token_max_days)
    token, value = await services.tokens.create(new.name, who.subject, scopes, ends, made_by)
    # Asked once the new one is there: a revocation of its maker finds it, or is found here.
    if made_by is not None and not await services.tokens.in_force(who.subject, made_by):
        await services.tokens.revoke(who.subject, token.id)
    response.headers["Cache-Control"] = "no-store"
    return CreatedToken(**TokenAnswer.of(token).model_dump(), value=value)


@router.delete("/{id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_token(id: str, caller: Caller, services: RegistryServices, subject: Subject = None) -> None:
    """Revoke a token of the caller's, and those made with it; gateways refuse them within two seconds."""
    whose = owner(caller, subject)
    if not await services.tokens.revoke(whose, id):
        detail = f"{whose} has no token with the id {id}; GET /api/tokens lists them"
        raise Problem(404, "no-such-token", "There is no such token", detail)
