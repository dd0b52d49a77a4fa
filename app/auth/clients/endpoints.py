import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.auth.clients.client_metadata import ClientMetadata, read_metadata
from app.auth.clients.registration import Registered, register
from app.auth.deps import AuthParts
from app.auth.oauth.errors import NO_STORE, OAuthError
from app.auth.oauth.schemas import OAuthFault

router = APIRouter(tags=["OAuth"])
LONGEST = 16 * 1024
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": ClientMetadata.model_json_schema()}},
}


@router.post(
    "/oauth/register",
    status_code=201,
    response_model=Registered,
    responses={"4XX": {"model": OAuthFault}},
    openapi_extra={"requestBody": _BODY},
)
async def register_client(request: Request, auth: AuthParts) -> JSONResponse:
    """Register a client for people to log in with (RFC 7591); it ends when it is not used."""
    address = request.client.host if request.client else ""
    if wait := auth.registrations.attempt(address):
        error = OAuthError("temporarily_unavailable", f"too many registrations; again in {wait} s", 429)
        response = error.response()
        response.headers["Retry-After"] = str(wait)
        return response
    try:
        registered = await register(auth.store, read_metadata(await _object(request)))
    except OAuthError as error:
        return error.response()
    return JSONResponse(registered.model_dump(mode="json", exclude_none=True), 201, NO_STORE)


async def _object(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise OAuthError("invalid_client_metadata", f"a registration has at most {LONGEST} bytes", 413)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OAuthError("invalid_client_metadata", "the body must be a JSON object with client metadata")
    return found
