from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.core.caller import Caller as KnownCaller
from app.core.models import ToolKind, ToolRecord, ToolState
from app.core.paging import ListPage
from app.core.problems import Problem
from app.registry.deps import Caller, Cursor, Limit, RegistryServices, Slug
from app.registry.servers.service import visible, writable
from app.registry.services import Services
from app.registry.tools.repository import ToolRepository
from app.registry.tools.schemas import ToolAnswer, sees

router = APIRouter(prefix="/api/servers/{slug}/tools", tags=["tools"])
Name = Annotated[str, Path(description="the tool's name; of a resource its URI, percent-encoded")]
OfKind = Annotated[ToolKind, Query(description="what the name is the name of")]


@router.get("")
async def list_tools(
    slug: Slug,
    *,
    caller: Caller,
    services: RegistryServices,
    kind: ToolKind | None = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> ListPage[ToolAnswer]:
    """What the server offered at the last good look, as far as the caller may see it: by kind and name."""
    await visible(services, caller, slug)
    documents = await ToolRepository(services.store).of_server(slug)
    records = [ToolRecord.model_validate(document.body) for document in documents]
    seen = [
        record
        for record in records
        if sees(caller.grants, record) and kind in (None, record.kind) and record.id > (cursor or "")
    ]
    after = seen[limit - 1].id if len(seen) > limit else None
    return ListPage(items=[ToolAnswer.of(record) for record in seen[:limit]], next_cursor=after)


@router.post("/{tool:path}/block")
async def block_tool(
    slug: Slug, tool: Name, caller: Caller, services: RegistryServices, kind: OfKind = ToolKind.TOOL
) -> ToolAnswer:
    """Refuse this tool to every caller within two seconds, whatever the server makes of it later."""
    return await _set_state(services, caller, (slug, kind, tool), ToolState.BLOCKED)


@router.post("/{tool:path}/unblock")
async def unblock_tool(
    slug: Slug, tool: Name, caller: Caller, services: RegistryServices, kind: OfKind = ToolKind.TOOL
) -> ToolAnswer:
    """Let scopes decide about this tool again; one that is quarantined needs an approval instead."""
    return await _set_state(services, caller, (slug, kind, tool), ToolState.ACTIVE)


async def _set_state(
    services: Services, caller: KnownCaller, place: tuple[str, ToolKind, str], state: ToolState
) -> ToolAnswer:
    slug, kind, name = place
    await writable(services, caller, slug)
    tools = ToolRepository(services.store)
    document = await tools.find(slug, kind, name)
    if document is None:
        detail = f"{slug} offers no {kind} called {name}; refresh the server if it is new"
        raise Problem(404, "no-such-tool", "There is no such tool", detail)
    before = ToolState(document.body["state"])
    if before is ToolState.QUARANTINED:
        detail = f"{name} of {slug} changed and is refused until somebody approves it"
        raise Problem(409, "quarantined", "The tool is quarantined", detail)
    if before is state:
        return ToolAnswer.of(ToolRecord.model_validate(document.body))
    return ToolAnswer.of(await tools.set_state(document, state))
