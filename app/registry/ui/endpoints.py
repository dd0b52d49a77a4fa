from fastapi import APIRouter, Response

from app.registry.deps import Caller, RegistryServices
from app.registry.people.repository import PeopleRepository
from app.registry.ui.page import STYLE_PATH, servers_page, style_sheet

router = APIRouter(include_in_schema=False)


@router.get("/ui")
@router.get("/ui/")
async def servers(caller: Caller, services: RegistryServices) -> Response:
    """The page of registered servers."""
    person = await PeopleRepository(services.store).find(caller.identity.subject)
    return await servers_page(services.catalogue, caller, person.name if person else "")


@router.get(STYLE_PATH)
async def style() -> Response:
    """Its style sheet, which says nothing about anybody."""
    return style_sheet()
