"""What is searched: a registered server and its tools as texts by field, and who may see and call them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.core.models import ServerEntry, ToolRecord
from app.core.models.scope import WILDCARD
from app.core.policy import Grants

Kind = Literal["tool", "server"]
DocumentId = tuple[Kind, str, str]
"""Kind, slug and name; a server's name is its slug."""


@dataclass(frozen=True)
class Searchable:
    """A server or tool as it is found. `title` and `description` may be empty."""

    kind: Kind
    server: str
    name: str
    title: str
    description: str
    fields: Mapping[str, str]

    @property
    def id(self) -> DocumentId:
        """What it is known by in the index."""
        return (self.kind, self.server, self.name)


def of_server(server: ServerEntry) -> Searchable:
    """A server by its slug and the last part of its official name, its title, description and tags."""
    slug, document = server.settings.slug, server.document
    title, description = _text(document.get("title")), _text(document.get("description"))
    official = _text(document.get("name")).rpartition("/")[2]
    name = slug if official == slug else f"{slug} {official}"
    tags = " ".join(server.settings.tags)
    fields = {"name": name, "title": title, "description": description, "tags": tags}
    return Searchable("server", slug, slug, title, description, fields)


def of_tool(tool: ToolRecord, server: ServerEntry) -> Searchable:
    """A tool by its own name, title and description, and by its server's title and tags."""
    annotations = tool.definition.get("annotations")
    hint = annotations.get("title") if isinstance(annotations, Mapping) else None
    title = _text(tool.definition.get("title")) or _text(hint)
    description = _text(tool.definition.get("description"))
    server_title = _text(server.document.get("title")) or server.settings.slug
    fields = {
        "name": tool.name,
        "title": f"{title} {server_title}",
        "description": description,
        "tags": " ".join(server.settings.tags),
    }
    return Searchable("tool", tool.server, tool.name, title, description, fields)


def visible_tools(grants: Grants, slug: str) -> frozenset[str]:
    """Names of a server's tools that a caller may list, call, or read about at the registry; `*` for all."""
    if grants.may("servers:read", slug):
        return frozenset({WILDCARD})
    rights = grants.on_server(slug)
    return rights.get("tools/list", frozenset()) | rights.get("tools/call", frozenset())


def why_not_callable(server: ServerEntry, grants: Grants, tool: str | None = None) -> str | None:
    """Why a caller cannot use a server, or one tool of it, now; None where it can."""
    slug = server.settings.slug
    if not server.settings.enabled:
        return f"{slug} is disabled; whoever manages servers can enable it"
    if server.url is None:
        return (
            f"{slug} has no HTTP endpoint (stdio only): it runs on your own machine, not behind the gateway"
        )
    if not grants.on_server(slug):
        return f"no scope of yours reaches {slug}; ask whoever manages scopes"
    if tool is not None and not grants.may_call(slug, tool):
        return f"no scope of yours allows tools/call of {tool} on {slug}; ask whoever manages scopes"
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
