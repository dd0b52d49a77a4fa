from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response, status

from app.auth.admin.caller import Caller, allowed
from app.auth.deps import AuthParts
from app.auth.identities.account import ServiceAccount
from app.auth.identities.schemas import AgentIdentity, User, WantedIdentity
from app.core.models import SLUG_PATTERN
from app.core.problems import Problem

router = APIRouter(tags=["identities"])
READ = [Depends(allowed("idps:read"))]
PATH = "/api/agents/{slug}/identity"


async def _agent(slug: Annotated[str, Path(pattern=SLUG_PATTERN)], caller: Caller, auth: AuthParts) -> str:
    if auth.snapshot.agent(slug) is None or not caller.grants.sees_agent(slug):
        raise Problem(404, "no-such-agent", "There is no such agent", f"no agent has the slug {slug}")
    caller.require_on_agent("agents:write", slug)
    return slug


Agent = Annotated[str, Depends(_agent)]
"""An agent that the caller may change."""


@router.get("/api/idps/{name}/users", dependencies=READ)
async def list_users(
    name: str,
    auth: AuthParts,
    search: Annotated[str, Query(max_length=256)] = "",
    first: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[User]:
    """Users of a Keycloak realm, whose name or mail fits."""
    found = await auth.identities.call(partial(auth.identities.realm(name).users, search, first, limit))
    return [User.model_validate(user) for user in found]


@router.get("/api/idps/{name}/groups", dependencies=READ)
async def list_groups(name: str, auth: AuthParts) -> list[str]:
    """The paths of the groups of a Keycloak realm."""
    return await auth.identities.call(auth.identities.realm(name).groups)


@router.get(PATH)
async def get_identity(slug: Agent, auth: AuthParts) -> AgentIdentity:
    """The agent's service account as it is at the provider."""
    provider, account = await auth.identities.find(slug)
    return _answer(auth, provider, account)


@router.put(PATH)
async def put_identity(
    slug: Agent, wanted: WantedIdentity, caller: Caller, auth: AuthParts, response: Response
) -> AgentIdentity:
    """Make the agent's service account, with its secret in this answer alone; or change its groups.

    To give it groups takes `clients:write`, which lets a caller give a program any group.
    """
    if wanted.groups:
        caller.require("clients:write")
    account = await auth.identities.make(slug, wanted.provider, wanted.groups)
    response.headers["Cache-Control"] = "no-store"
    return _answer(auth, wanted.provider, account)


@router.post(f"{PATH}/secret")
async def rotate_secret(slug: Agent, auth: AuthParts, response: Response) -> AgentIdentity:
    """Give the account a new secret, which is in this answer alone; the old one ends at once."""
    provider, account = await auth.identities.rotate(slug)
    response.headers["Cache-Control"] = "no-store"
    return _answer(auth, provider, account).model_copy(update={"groups": None})


@router.delete(PATH, status_code=status.HTTP_204_NO_CONTENT)
async def delete_identity(slug: Agent, auth: AuthParts) -> None:
    """Take the agent's service account away."""
    await auth.identities.remove(slug)


def _answer(auth: AuthParts, provider: str, account: ServiceAccount) -> AgentIdentity:
    return AgentIdentity(
        provider=provider,
        issuer=auth.identities.realm(provider).issuer,
        client_id=account.client_id,
        groups=account.groups,
        client_secret=account.secret,
    )
