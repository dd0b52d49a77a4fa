from typing import Annotated, Any

from fastapi import APIRouter, Body, Response, status

from app.core.etag import etag
from app.core.paging import ListPage
from app.registry.deps import Caller, Cursor, IfMatch, Limit, RegistryServices, Slug
from app.registry.discovery.health import Health, HealthRepository
from app.registry.servers import service
from app.registry.servers.schemas import ServerAnswer

router = APIRouter(prefix="/api/servers", tags=["servers"])
ServerJson = Annotated[
    dict[str, Any], Body(description='an official server.json; our part in `_meta["dev.gatepost/server"]`')
]


@router.get("")
async def list_servers(
    caller: Caller, services: RegistryServices, limit: Limit = 100, cursor: Cursor = None
) -> ListPage[ServerAnswer]:
    """The servers that the caller may see, by slug."""
    items, after = await service.page(services, caller, limit, cursor)
    return ListPage(items=items, next_cursor=after)


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_server(
    body: ServerJson, caller: Caller, services: RegistryServices, response: Response
) -> ServerAnswer:
    """Register a server; it is looked at in the background, and nobody may use it before a scope names it."""
    document = await service.create(services, caller, body)
    response.headers.update({**etag(document), "Location": f"/api/servers/{document.id}"})
    return await service.answer(services, document)


@router.get("/{slug}")
async def get_server(
    slug: Slug, caller: Caller, services: RegistryServices, response: Response
) -> ServerAnswer:
    """One server: its document, and what the registry found out."""
    document = await service.visible(services, caller, slug)
    response.headers.update(etag(document))
    return await service.answer(services, document)


@router.put("/{slug}")
async def replace_server(
    slug: Slug,
    body: ServerJson,
    *,
    caller: Caller,
    services: RegistryServices,
    condition: IfMatch,
    response: Response,
) -> ServerAnswer:
    """Replace a server's document; settings that the body leaves out get their defaults, the slug stays."""
    document, warnings = await service.replace(services, caller, slug, body, condition)
    response.headers.update(etag(document))
    return await service.answer(services, document, warnings)


@router.delete("/{slug}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_server(slug: Slug, caller: Caller, services: RegistryServices, condition: IfMatch) -> None:
    """Take a server away, with its credential and all that was found out about it."""
    await service.delete(services, caller, slug, condition)


@router.post("/{slug}/refresh")
async def refresh_server(slug: Slug, caller: Caller, services: RegistryServices) -> Health:
    """Look at the server now and answer its health; a look that fails is no error of this request."""
    await service.writable(services, caller, slug)
    return await services.discovery.run(slug)


@router.post("/{slug}/enable")
async def enable_server(
    slug: Slug, caller: Caller, services: RegistryServices, condition: IfMatch, response: Response
) -> ServerAnswer:
    """Let calls through again, within two seconds."""
    document = await service.set_enabled(services, caller, slug, True, condition)
    response.headers.update(etag(document))
    return await service.answer(services, document)


@router.post("/{slug}/disable")
async def disable_server(
    slug: Slug, caller: Caller, services: RegistryServices, condition: IfMatch, response: Response
) -> ServerAnswer:
    """Refuse every call within two seconds; the server stays registered."""
    document = await service.set_enabled(services, caller, slug, False, condition)
    response.headers.update(etag(document))
    return await service.answer(services, document)


@router.get("/{slug}/health")
async def server_health(slug: Slug, caller: Caller, services: RegistryServices) -> Health:
    """What the last look at the server found."""
    await service.visible(services, caller, slug)
    return await HealthRepository(services.store).of(slug)
