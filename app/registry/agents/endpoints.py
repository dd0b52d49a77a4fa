from typing import Annotated, Any

from fastapi import APIRouter, Body, Response, status

from app.core.etag import etag
from app.core.models.agent import credential_id
from app.core.paging import ListPage
from app.registry.agents import service
from app.registry.agents.repository import AgentRepository
from app.registry.agents.schemas import AgentAnswer
from app.registry.credentials.schemas import CredentialBody
from app.registry.credentials.token_url import check_token_url
from app.registry.credentials.vault import CredentialVault
from app.registry.deps import Caller, Cursor, IfMatch, Limit, RegistryServices, Slug

router = APIRouter(prefix="/api/agents", tags=["agents"])
CardJson = Annotated[
    dict[str, Any],
    Body(
        description="an agent card of A2A 1.0, or `url` alone, where it is fetched; "
        'our part in `_meta["dev.gatepost/agent"]`'
    ),
]


@router.get("")
async def list_agents(
    caller: Caller, services: RegistryServices, limit: Limit = 100, cursor: Cursor = None
) -> ListPage[AgentAnswer]:
    """The agents that the caller may see, by slug."""
    found, after = await AgentRepository(services.store).visible(caller.grants, limit, cursor)
    return ListPage(items=[AgentAnswer.of(services.settings, one) for one in found], next_cursor=after)


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_agent(
    body: CardJson, caller: Caller, services: RegistryServices, response: Response
) -> AgentAnswer:
    """Register an agent; nobody may use it before a scope names it."""
    document, warnings = await service.create(services, caller, body)
    response.headers.update({**etag(document), "Location": f"/api/agents/{document.id}"})
    return AgentAnswer.of(services.settings, document, warnings)


@router.get("/{slug}")
async def get_agent(
    slug: Slug, caller: Caller, services: RegistryServices, response: Response
) -> AgentAnswer:
    """One agent: its card as it was given, with the agent's own signatures, and what the registry knows."""
    document = await service.visible(services, caller, slug)
    response.headers.update(etag(document))
    return AgentAnswer.of(services.settings, document)


@router.put("/{slug}")
async def replace_agent(
    slug: Slug,
    body: CardJson,
    *,
    caller: Caller,
    services: RegistryServices,
    condition: IfMatch,
    response: Response,
) -> AgentAnswer:
    """Replace an agent's card; settings that the body leaves out get their defaults, the slug stays."""
    document, warnings = await service.replace(services, caller, slug, body, condition)
    response.headers.update(etag(document))
    return AgentAnswer.of(services.settings, document, warnings)


@router.delete("/{slug}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_agent(slug: Slug, caller: Caller, services: RegistryServices, condition: IfMatch) -> None:
    """Take an agent away, with its credential."""
    await service.delete(services, caller, slug, condition)


@router.put("/{slug}/credential", status_code=status.HTTP_204_NO_CONTENT)
async def set_credential(
    slug: Slug, body: CredentialBody, caller: Caller, services: RegistryServices
) -> None:
    """Set what the agent is sent, at each of its interfaces; no answer ever repeats it."""
    await service.writable(services, caller, slug)
    if body.oauth is not None:
        await check_token_url(services.settings, body.oauth.token_url)
    await CredentialVault(services.store, services.sealer).put(credential_id(slug), body.to_keep())


@router.delete("/{slug}/credential", status_code=status.HTTP_204_NO_CONTENT)
async def remove_credential(slug: Slug, caller: Caller, services: RegistryServices) -> None:
    """Send the agent no credential any more; none that is there is fine."""
    await service.writable(services, caller, slug)
    await CredentialVault(services.store, services.sealer).remove(credential_id(slug))
