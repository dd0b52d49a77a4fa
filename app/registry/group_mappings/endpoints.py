from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, status

from app.core.etag import etag
from app.core.paging import ListPage
from app.core.store import Document
from app.registry.deps import Cursor, IfMatch, Limit, RegistryServices, allowed
from app.registry.group_mappings import service
from app.registry.group_mappings.repository import MappingRepository
from app.registry.group_mappings.schemas import Group, GroupMapping, NewMapping, Provider, SavedMapping
from app.registry.services import Services

router = APIRouter(prefix="/api/group-mappings", tags=["group mappings"])
READ = [Depends(allowed("groups:read"))]
WRITE = [Depends(allowed("groups:write"))]


@router.get("", dependencies=READ)
async def list_mappings(
    services: RegistryServices,
    provider: Annotated[str | None, Query(description="of this provider alone")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ListPage[GroupMapping]:
    """What groups of identity providers count as, by provider and group; others keep their names."""
    page = await MappingRepository(services.store).page(provider, limit, cursor)
    items = [GroupMapping.model_validate(document.body) for document in page.items]
    return ListPage(items=items, next_cursor=page.next_cursor)


@router.get("/{provider}", dependencies=READ)
async def get_mapping(
    provider: Provider, group: Group, services: RegistryServices, response: Response
) -> GroupMapping:
    """What one group counts as. The group is in the query, since its name may have a slash."""
    document = await service.found(MappingRepository(services.store), provider, group)
    response.headers.update(etag(document))
    return GroupMapping.model_validate(document.body)


@router.put("/{provider}", dependencies=WRITE)
async def save_mapping(
    provider: Provider,
    group: Group,
    mapping: NewMapping,
    *,
    services: RegistryServices,
    condition: IfMatch,
    response: Response,
) -> SavedMapping:
    """Let a group count as groups of ours, in force within two seconds for everybody who is in it."""
    wanted = GroupMapping(provider=provider, group=group, groups=mapping.groups)
    document = await service.save(
        MappingRepository(services.store), services.administration, wanted, condition
    )
    response.headers.update(etag(document))
    return await _saved(services, document)


@router.delete("/{provider}", status_code=status.HTTP_204_NO_CONTENT, dependencies=WRITE)
async def delete_mapping(
    provider: Provider, group: Group, services: RegistryServices, condition: IfMatch
) -> None:
    """Let a group keep its own name again."""
    await service.delete(
        MappingRepository(services.store), services.administration, provider, group, condition
    )


async def _saved(services: Services, document: Document) -> SavedMapping:
    mapping = GroupMapping.model_validate(document.body)
    providers = [provider.name for provider in services.settings.providers]
    warnings = service.warnings(mapping, providers, await services.scopes.current())
    return SavedMapping(**mapping.model_dump(), warnings=warnings)
