from collections.abc import Iterable
from typing import Any

from app.core.models import Scope, ServerEntry, ServerGrant, ServerSettings, ToolKind, ToolRecord, ToolState
from app.core.models.scope import RegistryGrant
from app.core.policy import Grants, expand


def server(slug: str, title: str = "", description: str = "", **settings: Any) -> ServerEntry:
    document: dict[str, Any] = {
        "name": f"com.example/{slug}",
        "title": title,
        "description": description,
        "version": "1.0.0",
        "remotes": [{"type": "streamable-http", "url": "https://upstream.example/mcp"}],
    }
    if settings.pop("stdio_only", False):
        del document["remotes"]
    return ServerEntry(
        document=document,
        settings=ServerSettings(slug=slug, **settings),
        created_at="2026-11-01T00:00:00Z",
        updated_at="2026-11-01T00:00:00Z",
    )


def tool(slug: str, name: str, description: str = "", state: ToolState = ToolState.ACTIVE) -> ToolRecord:
    definition = {"name": name, "description": description, "inputSchema": {"type": "object"}}
    return ToolRecord(
        server=slug, kind=ToolKind.TOOL, name=name, definition=definition, hash="0", state=state
    )


def scope(slug: str, *tools: str) -> Scope:
    """A scope for everybody: list and call these tools of a server."""
    grant = ServerGrant(server=slug, methods=["tools/list", "tools/call"], tools=list(tools))
    return Scope(name=f"use-{slug}", groups=["*"], servers=[grant])


def granted(*scopes: Scope) -> Grants:
    return expand([], scopes)


def reader(servers: Iterable[str] = ("*",)) -> Scope:
    """A scope for everybody: read these servers at the registry, call none."""
    grant = RegistryGrant(actions=["servers:read"], servers=list(servers))
    return Scope(name="readers", groups=["*"], registry=[grant])
