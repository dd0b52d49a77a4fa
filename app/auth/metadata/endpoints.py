import re
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from app.auth.deps import AuthParts
from app.core.models import SLUG_PATTERN
from app.core.problems import Problem

router = APIRouter()
WELL_KNOWN = "/.well-known/oauth-protected-resource"


class ProtectedResource(BaseModel):
    """Metadata of a protected resource (RFC 9728, 2)."""

    resource: str
    authorization_servers: list[str]
    bearer_methods_supported: list[str] = ["header"]
    resource_name: str


@router.get(f"{WELL_KNOWN}/mcp/{{slug}}")
async def of_server(auth: AuthParts, slug: Annotated[str, Path()]) -> ProtectedResource:
    """The same for every slug that could be one, so that nobody learns which exist."""
    _check_slug(slug, "a server is at /mcp/<slug>")
    return _metadata(auth.settings.public_url, f"/mcp/{slug}", f"MCP server {slug}")


@router.get(f"{WELL_KNOWN}/a2a/{{slug}}")
async def of_agent(auth: AuthParts, slug: Annotated[str, Path()]) -> ProtectedResource:
    """The same for every slug that could be an agent's."""
    _check_slug(slug, "an agent is at /a2a/<slug>")
    return _metadata(auth.settings.public_url, f"/a2a/{slug}", f"A2A agent {slug}")


@router.get(f"{WELL_KNOWN}/api")
async def of_api(auth: AuthParts) -> ProtectedResource:
    """The registry's REST API."""
    return _metadata(auth.settings.public_url, "/api", "Gatepost's API")


def _check_slug(slug: str, where: str) -> None:
    if re.fullmatch(SLUG_PATTERN, slug) is None:
        detail = f"{where}: lower-case letters, digits and hyphens"
        raise Problem(404, "not-found", "There can be no such resource", detail)


def _metadata(public_url: str, path: str, name: str) -> ProtectedResource:
    return ProtectedResource(
        resource=f"{public_url}{path}", authorization_servers=[public_url], resource_name=name
    )
