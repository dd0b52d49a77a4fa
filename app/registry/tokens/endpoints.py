from fastapi import APIRouter, Response, status

from app.core.paging import ListPage
from app.core.problems import Problem
from app.registry.deps import Caller, Cursor, Limit, RegistryServices
from app.registry.tokens.schemas import CreatedToken, NewToken, TokenAnswer
from app.registry.tokens.service import lasting, narrowed, page

router = APIRouter(prefix="/api/tokens", tags=["tokens"])


@router.get("")
async def list_tokens(
    caller: Caller, services: RegistryServices, limit: Limit = 100, cursor: Cursor = None
) -> ListPage[TokenAnswer]:
    """The caller's own tokens, newest first; revoked and expired ones for a while too."""
    subject = caller.identity.subject
    tokens, after = page(await services.tokens.list(subject), limit, cursor)
    uses = await services.tokens.last_uses(subject)
    return ListPage(items=[TokenAnswer.of(token, uses.get(token.id)) for token in tokens], next_cursor=after)


@router.post("", status_code=status.HTTP_201_CREATED)
async def make_token(
    new: NewToken, caller: Caller, services: RegistryServices, response: Response
) -> CreatedToken:
    """Make a token of the caller's; its value is in this answer and nowhere else.

    It reaches no further and lasts no longer than the token that makes it.
    """
    scopes = narrowed(caller.identity, new.scopes, await services.scopes.current())
    ends = lasting(caller.identity, new.ends())
    token, value = await services.tokens.create(new.name, caller.identity.subject, scopes, ends)
    response.headers["Cache-Control"] = "no-store"
    return CreatedToken(**TokenAnswer.of(token).model_dump(), value=value)


@router.delete("/{id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_token(id: str, caller: Caller, services: RegistryServices) -> None:
    """Revoke a token of the caller's; gateways refuse it within two seconds."""
    if not await services.tokens.revoke(caller.identity.subject, id):
        detail = f"you have no token with the id {id}; GET /api/tokens lists yours"
        raise Problem(404, "no-such-token", "There is no such token", detail)
