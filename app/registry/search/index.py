from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from app.core.models import ServerEntry, ToolKind, ToolRecord, ToolState
from app.core.models.scope import WILDCARD
from app.core.policy import Grants
from app.registry.search.bm25f import Bm25f
from app.registry.search.documents import (
    DocumentId,
    Kind,
    Searchable,
    of_server,
    of_tool,
    visible_tools,
    why_not_callable,
)

SCORE_DIGITS = 4
"""Scores are rounded before they are ordered, so that no order hangs on the last bits of a sum."""


@dataclass(frozen=True)
class Hit:
    """One result; `score` in 0…1 means the same for every query.

    `refusal` says why this caller cannot use it now; None where it can.
    """

    found: Searchable
    score: float
    refusal: str | None


class SearchIndex:
    """The catalogue's enabled servers and active tools in memory, found by words within a caller's rights.

    Blocked and quarantined tools are not in it: nobody may call them, and nobody has approved their words.
    """

    def __init__(self) -> None:
        self._ranking: Bm25f[DocumentId] = Bm25f()
        self._servers: dict[str, ServerEntry] = {}
        self._tools: dict[str, dict[str, ToolRecord]] = {}
        self._found: dict[str, dict[DocumentId, Searchable]] = {}

    @property
    def servers(self) -> Mapping[str, ServerEntry]:
        """Every server that is known by its slug, disabled ones too."""
        return self._servers

    def tools(self, slug: str, grants: Grants) -> list[str]:
        """Names of a server's active tools that the caller may see, sorted."""
        names = visible_tools(grants, slug)
        active = (tool.name for tool in self._tools.get(slug, {}).values() if tool.state is ToolState.ACTIVE)
        return sorted(name for name in active if name in names or WILDCARD in names)

    def put_server(self, server: ServerEntry) -> None:
        """Take in a server that is new or changed; its tools are found by its title and tags as well."""
        self._servers[server.settings.slug] = server
        self._rebuild(server.settings.slug)

    def remove_server(self, slug: str) -> None:
        """Forget a server and its tools."""
        self._servers.pop(slug, None)
        self._tools.pop(slug, None)
        self._rebuild(slug)

    def replace(self, slug: str, records: Iterable[ToolRecord]) -> None:
        """Take in all that discovery found at a server, in place of what was known of it."""
        self._tools[slug] = {record.name: record for record in records if record.kind is ToolKind.TOOL}
        self._rebuild(slug)

    def put_tool(self, record: ToolRecord) -> None:
        """Take in one record that is new or changed, as by a block or an approval."""
        if record.kind is ToolKind.TOOL:
            self._tools.setdefault(record.server, {})[record.name] = record
            self._rebuild(record.server)

    def remove_tool(self, slug: str, kind: ToolKind, name: str) -> None:
        """Forget one record; nothing happens where it is not known."""
        if kind is ToolKind.TOOL and self._tools.get(slug, {}).pop(name, None) is not None:
            self._rebuild(slug)

    def search(self, query: str, grants: Grants, kinds: Collection[Kind], limit: int) -> list[Hit]:
        """The best of what the caller may see: by score, then by server and name.

        Rights come first: what the caller may not see changes neither the results nor their scores.
        """
        scores = self._ranking.score(query, self._visible(grants))
        ranked = sorted(
            (-round(score, SCORE_DIGITS), id[1], id[2], id[0])
            for id, score in scores.items()
            if id[0] in kinds
        )
        return [self._hit((kind, slug, name), -score, grants) for score, slug, name, kind in ranked[:limit]]

    def _hit(self, id: DocumentId, score: float, grants: Grants) -> Hit:
        kind, slug, name = id
        refusal = why_not_callable(self._servers[slug], grants, name if kind == "tool" else None)
        return Hit(self._found[slug][id], score, refusal)

    def _visible(self, grants: Grants) -> set[DocumentId]:
        visible: set[DocumentId] = set()
        for slug, found in self._found.items():
            if not grants.sees(slug):
                continue
            names = visible_tools(grants, slug)
            if WILDCARD in names:
                visible.update(found)
            else:
                wanted: set[DocumentId] = {("tool", slug, name) for name in names} | {("server", slug, slug)}
                visible |= found.keys() & wanted
        return visible

    def _rebuild(self, slug: str) -> None:
        """Bring the ranking up to date with one server, touching only what is different."""
        before, server = self._found.pop(slug, {}), self._servers.get(slug)
        now: dict[DocumentId, Searchable] = {}
        if server is not None and server.settings.enabled:
            tools = self._tools.get(slug, {}).values()
            active = (of_tool(tool, server) for tool in tools if tool.state is ToolState.ACTIVE)
            now = {one.id: one for one in (of_server(server), *active)}
            self._found[slug] = now
        for id in before.keys() - now.keys():
            self._ranking.remove(id)
        for id, one in now.items():
            if before.get(id) != one:
                self._ranking.add(id, one.fields)
