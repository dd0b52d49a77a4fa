from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse

from app.auth.deps import AuthParts
from app.auth.verdict.caller import InvalidCredential
from app.auth.verdict.schemas import Refused, Verdict

router = APIRouter()


@router.get("/internal/verdict", responses={401: {"model": Refused}})
async def verdict(
    auth: AuthParts,
    resource: str,
    authorization: Annotated[str | None, Header()] = None,
    session: Annotated[str | None, Header(alias="Gatepost-Session")] = None,
) -> Verdict:
    """The verdict on a credential at a resource: `/mcp/<slug>`, `/a2a/<slug>`, `/api` or `/ui`."""
    epoch = await auth.snapshot.refresh()
    caller = await auth.callers.identify(authorization, session, resource)
    return await auth.verdicts.decide(caller, resource, epoch)


async def invalid_credential(_request: object, error: Exception) -> JSONResponse:
    """401 with the reason; registered for InvalidCredential."""
    assert isinstance(error, InvalidCredential)  # noqa: S101  (registered for this class)
    return JSONResponse(Refused(reason=error.reason).model_dump(), 401)
