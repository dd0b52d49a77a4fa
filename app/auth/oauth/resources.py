"""What a token can be for (RFC 8707): one server, one agent, the API, or all servers and agents. Pure."""

import re

from app.auth.oauth.errors import OAuthError
from app.core.models import SLUG_PATTERN
from app.core.policy import Grants

API = "/api"
EVERYTHING = ""
"""The path of the gateway itself, as a resource: every MCP server and every agent, not the API."""
_PATH = re.compile(rf"/(?P<kind>mcp|a2a)/(?P<slug>{SLUG_PATTERN.strip('^$')})")


def resource_path(public_url: str, resource: str | None) -> str:
    """The path of a resource that a request names; EVERYTHING where it names none.

    The same for slugs that do not exist, so that nobody learns which do. Raises OAuthError `invalid_target`.
    """
    if resource is None:
        return EVERYTHING
    path = resource.removeprefix(public_url).removesuffix("/")
    ours = resource.startswith(public_url) and (path in {EVERYTHING, API} or _PATH.fullmatch(path))
    if not ours:
        raise OAuthError(
            "invalid_target",
            f"resource must be {public_url}/mcp/<slug>, {public_url}/a2a/<slug>, {public_url}/api, "
            f"or {public_url} for all MCP servers and agents",
        )
    return path


def covers(granted: str, wanted: str) -> bool:
    """Whether a token for the path `granted` may be used at, or narrowed to, the path `wanted`."""
    return granted == wanted or (granted == EVERYTHING and _PATH.fullmatch(wanted) is not None)


def narrowed(public_url: str, granted: str, resource: str | None) -> str:
    """The path of `resource`, which must lie within `granted`. Raises OAuthError `invalid_target`."""
    if resource is None:
        return granted
    path = resource_path(public_url, resource)
    if not covers(granted, path):
        raise OAuthError("invalid_target", "resource is not the one that was granted")
    return path


def in_words(path: str) -> str:
    """A resource as people call it."""
    found = _PATH.fullmatch(path)
    if found is not None:
        kind = "the MCP server" if found["kind"] == "mcp" else "the agent"
        return f"{kind} {found['slug']}"
    return "Gatepost's API" if path == API else "all MCP servers and agents"


def reaches(grants: Grants, path: str) -> bool:
    """Whether there is anything at a resource that these grants allow."""
    found = _PATH.fullmatch(path)
    if found is not None:
        return bool(
            grants.on_server(found["slug"]) if found["kind"] == "mcp" else grants.on_agent(found["slug"])
        )
    if path == API:
        return bool(grants.registry or grants.registry_agents)
    return bool(grants.servers or grants.agents)
