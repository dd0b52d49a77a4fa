from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass

from app.core.policy import Grants
from app.core.settings import Settings
from app.core.store import Document
from app.registry.discovery.health import Health
from app.registry.servers.schemas import ServerAnswer


@dataclass
class _Known:
    document: Document
    health: Health
    answer: ServerAnswer | None = None


class KnownServers:
    """The registered servers with their health in memory, each made an answer once, not at each list."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._found: dict[str, _Known] = {}
        self._slugs: list[str] = []

    def put(self, document: Document) -> None:
        """Take in a server that is new or changed. Its body must be that of a ServerEntry."""
        slug = document.id
        known = self._found.get(slug)
        if known is None:
            insort(self._slugs, slug)
        self._found[slug] = _Known(document, Health(server=slug) if known is None else known.health)

    def remove(self, slug: str) -> None:
        """Forget a server and its health."""
        if self._found.pop(slug, None) is not None:
            del self._slugs[bisect_left(self._slugs, slug)]

    def put_health(self, health: Health) -> None:
        """Take in what was found at a server; nothing happens where it is not known."""
        known = self._found.get(health.server)
        if known is not None and known.health != health:
            known.health, known.answer = health, None

    def health(self, slug: str) -> Health:
        """A server's health; `unknown` before the first look."""
        known = self._found.get(slug)
        return Health(server=slug) if known is None else known.health

    def page(self, grants: Grants, limit: int, cursor: str | None) -> tuple[list[ServerAnswer], str | None]:
        """A page of the servers that the grants let a caller see, by slug, and the next page's cursor.

        A cursor never tells of a server that the caller does not see.
        """
        items: list[ServerAnswer] = []
        for slug in self._after(cursor):
            if grants.sees(slug):
                if len(items) == limit:
                    return items, items[-1].gatepost.slug
                items.append(self._answer(self._found[slug]))
        return items, None

    def _after(self, cursor: str | None) -> Iterator[str]:
        start = bisect_right(self._slugs, cursor or "")
        return (self._slugs[place] for place in range(start, len(self._slugs)))

    def _answer(self, known: _Known) -> ServerAnswer:
        if known.answer is None:
            known.answer = ServerAnswer.of(self._settings, known.document, known.health)
        return known.answer
