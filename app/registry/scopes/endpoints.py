from fastapi import APIRouter, Depends, Response, status

from app.core.etag import etag
from app.core.models import Scope
from app.core.paging import ListPage
from app.core.store import Document
from app.registry.deps import Caller, Cursor, IfMatch, Limit, RegistryServices, allowed
from app.registry.scopes import explain, service
from app.registry.scopes.answers import Answer
from app.registry.scopes.questions import Asked
from app.registry.scopes.repository import ScopeRepository
from app.registry.scopes.schemas import SavedScope

router = APIRouter(prefix="/api/scopes", tags=["scopes"])
READ = [Depends(allowed("scopes:read"))]
WRITE = [Depends(allowed("scopes:write"))]


@router.get("", dependencies=READ)
async def list_scopes(
    services: RegistryServices, limit: Limit = 100, cursor: Cursor = None
) -> ListPage[Scope]:
    """All scopes, by name."""
    documents, after = await ScopeRepository(services.store).page(limit, cursor)
    return ListPage(items=[Scope.model_validate(found.body) for found in documents], next_cursor=after)


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=WRITE)
async def add_scope(scope: Scope, services: RegistryServices, response: Response) -> SavedScope:
    """Add a scope, in force within two seconds; what it names and is not there comes back as warnings."""
    scopes = ScopeRepository(services.store)
    document = await service.create(scopes, scope)
    response.headers.update({**etag(document), "Location": f"/api/scopes/{scope.name}"})
    return await _saved(scopes, document)


@router.post("/explain")
async def explain_scopes(asked: Asked, caller: Caller, services: RegistryServices) -> Answer:
    """Whether somebody may do something, by which scopes, or why not and what would help.

    With `draft` or `without`: as if these scopes were saved or deleted, and the difference it makes. About
    oneself it needs no right; what a caller without `scopes:read` hears names only scopes for their groups.
    """
    return await explain.answer(services, caller, asked)


@router.get("/{name}", dependencies=READ)
async def get_scope(name: str, services: RegistryServices, response: Response) -> Scope:
    """One scope."""
    document = await service.found(ScopeRepository(services.store), name)
    response.headers.update(etag(document))
    return Scope.model_validate(document.body)


@router.put("/{name}", dependencies=WRITE)
async def replace_scope(
    name: str, scope: Scope, services: RegistryServices, condition: IfMatch, response: Response
) -> SavedScope:
    """Replace a scope, in force within two seconds."""
    scopes = ScopeRepository(services.store)
    document = await service.replace(scopes, services.administration, name, scope, condition)
    response.headers.update(etag(document))
    return await _saved(scopes, document)


@router.delete("/{name}", status_code=status.HTTP_204_NO_CONTENT, dependencies=WRITE)
async def delete_scope(name: str, services: RegistryServices, condition: IfMatch) -> None:
    """Take a scope away; what it allowed ends within two seconds."""
    await service.delete(ScopeRepository(services.store), services.administration, name, condition)


async def _saved(scopes: ScopeRepository, document: Document) -> SavedScope:
    warnings = await service.warnings(scopes, Scope.model_validate(document.body))
    return SavedScope.model_validate({**document.body, "warnings": warnings})
