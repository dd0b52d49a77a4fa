from typing import Annotated

from fastapi import APIRouter, Query

from app.auth.deps import AuthParts
from app.auth.epoch.service import Epoch, changed_since

router = APIRouter()


@router.get("/internal/epoch")
async def epoch(auth: AuthParts, since: Annotated[int | None, Query(ge=0)] = None) -> Epoch:
    """The newest change's number, and which resources and principals changed after `since`."""
    return await changed_since(auth.store, since)
