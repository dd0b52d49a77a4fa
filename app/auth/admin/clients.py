from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response, status

from app.auth.admin import clients_service as service
from app.auth.admin.caller import IfMatch, allowed
from app.auth.admin.client_schemas import ClientSettings, ClientView, CreatedClient, NewClient, NewSecret
from app.auth.clients.repository import ClientRepository
from app.auth.deps import AuthParts
from app.auth.oauth.errors import NO_STORE
from app.core.etag import etag
from app.core.paging import ListPage
from app.core.sound_json import require_sound_body
from app.core.store import Document

router = APIRouter(prefix="/api/clients", tags=["clients"], dependencies=[Depends(require_sound_body)])
READ = [Depends(allowed("clients:read"))]
WRITE = [Depends(allowed("clients:write"))]
Id = Annotated[str, Path(max_length=128)]


def _repository(auth: AuthParts) -> ClientRepository:
    return ClientRepository(auth.store)


Repository = Annotated[ClientRepository, Depends(_repository)]


@router.get("", dependencies=READ)
async def list_clients(
    clients: Repository,
    kind: Literal["preregistered", "dynamic"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="items a page")] = 100,
    cursor: Annotated[str | None, Query(max_length=2048, description="`next_cursor` before")] = None,
) -> ListPage[ClientView]:
    """Registered clients, by id; those known by their documents are not kept."""
    documents, after = await clients.page(kind, limit, cursor)
    return ListPage(items=[_view(found) for found in documents], next_cursor=after)


@router.post("", status_code=status.HTTP_201_CREATED, dependencies=WRITE)
async def add_client(settings: NewClient, clients: Repository, response: Response) -> CreatedClient:
    """Register a client; its secret is in this answer alone."""
    document, secret = await service.create(clients, settings)
    response.headers.update({**NO_STORE, **etag(document), "Location": f"/api/clients/{document.id}"})
    return CreatedClient(**_view(document).model_dump(), client_secret=secret)


@router.get("/{client_id}", dependencies=READ)
async def get_client(client_id: Id, clients: Repository, response: Response) -> ClientView:
    """One client."""
    document = await service.found(clients, client_id)
    response.headers.update(etag(document))
    return _view(document)


@router.put("/{client_id}", dependencies=WRITE)
async def replace_client(
    client_id: Id, settings: ClientSettings, clients: Repository, condition: IfMatch, response: Response
) -> ClientView:
    """Replace what an administrator registered; its secret stays."""
    document = await service.replace(clients, client_id, settings, condition)
    response.headers.update(etag(document))
    return _view(document)


@router.delete("/{client_id}", status_code=status.HTTP_204_NO_CONTENT, dependencies=WRITE)
async def delete_client(client_id: Id, clients: Repository, condition: IfMatch) -> None:
    """Take a client away; its tokens, and what people gave to it, end within two seconds."""
    await service.delete(clients, client_id, condition)


@router.post("/{client_id}/secret", dependencies=WRITE)
async def rotate_secret(client_id: Id, clients: Repository, response: Response) -> NewSecret:
    """Make a new secret, shown in this answer alone; the one before ends at once."""
    secret = await service.rotate(clients, client_id)
    response.headers.update(NO_STORE)
    return NewSecret(client_id=client_id, client_secret=secret)


def _view(document: Document) -> ClientView:
    used = document.body.get("used_at")
    known = {name: value for name, value in document.body.items() if name in ClientView.model_fields}
    return ClientView.model_validate(
        {**known, "used_at": None if used is None else datetime.fromtimestamp(used, UTC)}
    )
