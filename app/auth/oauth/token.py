from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from app.auth.clients.model import Client
from app.auth.deps import AuthParts
from app.auth.oauth.answer import TokenAnswer
from app.auth.oauth.by_client import by_client
from app.auth.oauth.by_code import by_code
from app.auth.oauth.by_refresh import by_refresh
from app.auth.oauth.described import TOKEN_FORM
from app.auth.oauth.errors import NO_STORE, OAuthError
from app.auth.oauth.exchange import GRANT_TYPE, exchange
from app.auth.oauth.parameters import form
from app.auth.oauth.schemas import OAuthFault
from app.auth.parts import Parts

router = APIRouter(tags=["OAuth"])
_GRANTS: Mapping[str, Callable[[Parts, Client, Mapping[str, str]], Awaitable[TokenAnswer]]] = {
    "authorization_code": by_code,
    "refresh_token": by_refresh,
    "client_credentials": by_client,
    GRANT_TYPE: exchange,
}


@router.post(
    "/oauth/token",
    response_model=TokenAnswer,
    responses={code: {"model": OAuthFault} for code in (400, 401, 413, 503)},
    openapi_extra=TOKEN_FORM,
)
async def token(
    request: Request, auth: AuthParts, authorization: Annotated[str | None, Header()] = None
) -> JSONResponse:
    """Tokens for a code, a refresh token, a client itself, or another token (RFC 6749, 3.2; RFC 8693)."""
    try:
        given = await form(request)
        client = await auth.clients.authenticate(given, authorization)
        found = await _made(auth, client, given)
    except OAuthError as error:
        return error.response()
    auth.background.run("note a client's use", auth.clients.touch(client.client_id))
    return JSONResponse(found.model_dump(exclude_none=True), headers=NO_STORE)


async def _made(auth: Parts, client: Client, given: Mapping[str, str]) -> TokenAnswer:
    grant_type = given.get("grant_type")
    if grant_type is None:
        raise OAuthError("invalid_request", "grant_type is missing")
    if grant_type not in _GRANTS:
        raise OAuthError("unsupported_grant_type", f"grant_type must be one of {', '.join(_GRANTS)}")
    if grant_type not in client.grant_types:
        raise OAuthError("unauthorized_client", f"this client is not registered for {grant_type}")
    return await _GRANTS[grant_type](auth, client, given)
