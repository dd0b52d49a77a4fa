from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from app.auth.clients.model import Client
from app.auth.deps import AuthParts
from app.auth.oauth.access import AccessToken
from app.auth.oauth.errors import NO_STORE, OAuthError
from app.auth.oauth.grants import Grant
from app.auth.oauth.parameters import FORM, form
from app.auth.oauth.refresh_tokens import RefreshToken
from app.auth.oauth.schemas import OAuthFault
from app.auth.parts import Parts
from app.core.keys import InvalidToken

router = APIRouter(tags=["OAuth"])
_FORM = {"required": True, "content": {FORM: {"schema": {"type": "object", "required": ["token"]}}}}
_FAULTS: dict[int | str, dict[str, Any]] = {code: {"model": OAuthFault} for code in (400, 401, 413, 503)}


class Introspected(BaseModel):
    """What is known of a token (RFC 7662, 2.2); of one that is not in force only that."""

    active: bool
    client_id: str | None = None
    sub: str | None = None
    iss: str | None = None
    aud: str | None = None
    scope: str | None = None
    token_type: Literal["Bearer", "refresh_token"] | None = None
    exp: int | None = None
    iat: int | None = None
    jti: str | None = None


@router.post("/oauth/revoke", responses=_FAULTS, openapi_extra={"requestBody": _FORM})
async def revoke(
    request: Request, auth: AuthParts, authorization: Annotated[str | None, Header()] = None
) -> Response:
    """End a token of the client that asks (RFC 7009): a refresh token with all that was made of it.

    What is unknown, over or another client's is answered the same, and nothing happens.
    """
    try:
        given = await form(request)
        client = await auth.clients.authenticate(given, authorization)
        value = _token_of(given)
    except OAuthError as error:
        return error.response()
    found = await _held(auth, value)
    if found is not None and found.client_id == client.client_id:
        if isinstance(found, Grant):
            await auth.grants.revoke(found.id)
        else:
            await auth.revocations.revoke(found)
    return Response(headers=NO_STORE)


@router.post(
    "/oauth/introspect", response_model=Introspected, responses=_FAULTS, openapi_extra={"requestBody": _FORM}
)
async def introspect(
    request: Request, auth: AuthParts, authorization: Annotated[str | None, Header()] = None
) -> JSONResponse:
    """What a token is worth now (RFC 7662), to its own client, or to one that an administrator registered."""
    try:
        given = await form(request)
        client = await auth.clients.authenticate(given, authorization)
        _require_proof(client)
        value = _token_of(given)
    except OAuthError as error:
        return error.response()
    found = await _held(auth, value)
    told = Introspected(active=False) if found is None or not _may_see(client, found) else _told(auth, found)
    return JSONResponse(told.model_dump(exclude_none=True), headers=NO_STORE)


def _require_proof(client: Client) -> None:
    if client.auth_method == "none":
        raise OAuthError("invalid_client", "only a client that proves itself may ask", 401)


def _token_of(given: dict[str, str]) -> str:
    if "token" not in given:
        raise OAuthError("invalid_request", "token is missing")
    return given["token"]


async def _held(auth: Parts, value: str) -> AccessToken | Grant | None:
    """The access token, or the grant of the refresh token, where it is in force."""
    refresh = RefreshToken.parse(value)
    if refresh is not None:
        found = await auth.grants.find(refresh.grant)
        if found is None:
            return None
        state = refresh.state(found[0].refresh or ":", found[0].previous)
        return found[0] if state in {"current", "previous"} else None
    if not auth.access_tokens.is_ours(value):
        return None
    await auth.snapshot.refresh()
    try:
        return (await auth.holders.find(value)).token
    except InvalidToken:
        return None


def _may_see(client: Client, found: AccessToken | Grant) -> bool:
    return client.kind == "preregistered" or client.client_id == found.client_id


def _told(auth: Parts, found: AccessToken | Grant) -> Introspected:
    public_url = auth.settings.public_url
    about = Introspected(
        active=True,
        client_id=found.client_id,
        sub=found.subject,
        iss=public_url,
        aud=f"{public_url}{found.resource}",
        scope=None if found.scopes is None else " ".join(found.scopes),
    )
    if isinstance(found, Grant):
        return about.model_copy(update={"token_type": "refresh_token", "iat": int(found.created_at)})
    more = {"token_type": "Bearer", "exp": found.expires_at, "iat": found.issued_at, "jti": found.id}
    return about.model_copy(update=more)
