"""The cards at `/a2a/<slug>`, behind the gateway, which has checked path, body and the right to read."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Response
from fastapi.responses import JSONResponse

from app.core.models import AgentEntry
from app.core.models.agent import credential_id
from app.core.problems import Problem
from app.core.sealing import SealError
from app.core.ssrf import UpstreamRefused
from app.core.token_endpoint import TokenRefused
from app.registry.agents import service
from app.registry.agents.card import Uncarriable, served, signed, tag
from app.registry.agents.document import checked
from app.registry.agents.errors import CardError, as_rest, as_rpc
from app.registry.agents.fetch import WELL_KNOWN, Unfetched, extended_card
from app.registry.credentials.vault import CredentialVault
from app.registry.deps import Caller, RegistryServices, Slug
from app.registry.services import Services

router = APIRouter(prefix="/a2a/{slug}", include_in_schema=False)
CACHED = {"Cache-Control": "private, max-age=60"}
"""Each caller's own, for as long as the rights to it may be out of date at a client without harm."""


@router.get(WELL_KNOWN)
async def public(
    slug: Slug,
    caller: Caller,
    services: RegistryServices,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The public card, with the gateway's URLs and signature (A2A 1.0, 8.2 and 8.6)."""
    entry = await _readable(services, caller, slug)
    card = served(entry, entry.card, services.settings.public_url)
    headers = {**CACHED, "ETag": tag(card, services.keys)}
    if headers["ETag"] in {one.strip() for one in (if_none_match or "").split(",")}:
        return Response(status_code=304, headers=headers)
    return JSONResponse(signed(card, services.keys, services.settings.public_url), headers=headers)


@router.get("/extendedAgentCard")
async def extended_by_rest(slug: Slug, caller: Caller, services: RegistryServices) -> Response:
    """The extended card by the HTTP+JSON binding (A2A 1.0, 11.3)."""
    entry = await _readable(services, caller, slug)
    try:
        return JSONResponse(await _extended(services, entry), headers={"Cache-Control": "no-store"})
    except CardError as error:
        return as_rest(error)


@router.post("")
async def extended_by_rpc(
    slug: Slug, caller: Caller, services: RegistryServices, body: Annotated[dict[str, Any], Body()]
) -> Response:
    """`GetExtendedAgentCard` by the JSON-RPC binding, the one method that comes here (A2A 1.0, 9.4)."""
    entry = await _readable(services, caller, slug)
    try:
        card = await _extended(services, entry)
    except CardError as error:
        return as_rpc(error, body.get("id"))
    return JSONResponse({"jsonrpc": "2.0", "id": body.get("id"), "result": card})


async def _readable(services: Services, caller: Caller, slug: str) -> AgentEntry:
    document = await service.visible(services, caller, slug)
    if "read" not in caller.grants.on_agent(slug):
        detail = f"no scope of yours allows read on the agent {slug}; a scope that names it would help"
        raise Problem(403, "forbidden", "You may not read this card", detail)
    return AgentEntry.model_validate(document.body)


async def _extended(services: Services, entry: AgentEntry) -> dict[str, Any]:
    """The agent's extended card with the gateway's URLs, signed by us. Raises CardError."""
    slug = entry.settings.slug
    if not entry.card["capabilities"].get("extendedAgentCard"):
        raise CardError("not_configured", f"{slug} has no extended card")
    interface = next(iter(entry.interfaces.values()), None)
    if interface is None or not entry.settings.enabled:
        raise CardError("upstream", f"{slug} is disabled, or has no interface that the gateway carries")
    try:
        credential = await CredentialVault(services.store, services.sealer).find(credential_id(slug))
        headers, _ = await services.upstream_tokens.headers(credential)
        found = await extended_card(services.settings, interface, headers)
        ours = served(entry, checked(found if isinstance(found, dict) else {}), services.settings.public_url)
        return signed(ours, services.keys, services.settings.public_url)
    except Unfetched as error:
        if error.status in {401, 403}:
            reason = "the agent refused the gateway's credential; an administrator must renew it"
            raise CardError("credential", reason) from None
        raise CardError("upstream", str(error)) from None
    except (UpstreamRefused, Uncarriable) as error:
        raise CardError("upstream", str(error)) from None
    except Problem as problem:
        raise CardError("upstream", f"the agent's extended card is not valid: {problem}") from None
    except TokenRefused as error:
        raise CardError("token_endpoint", str(error)) from None
    except SealError:
        reason = f"the credential of {slug} cannot be opened; an administrator must set it again"
        raise CardError("credential", reason) from None
