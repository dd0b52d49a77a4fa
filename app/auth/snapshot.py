"""Policy in memory, never older than a change that was already visible when somebody asked."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from app.core import groups
from app.core.models import AgentEntry, Scope, ServerEntry, ToolKind, ToolState
from app.core.store import Change, Document, Store

log = structlog.get_logger(__name__)

REFUSED = (ToolState.BLOCKED, ToolState.QUARANTINED)
PAGE = 500

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")


@dataclass
class _Policy:
    scopes: dict[str, Scope] = field(default_factory=dict)
    servers: dict[str, ServerEntry] = field(default_factory=dict)
    agents: dict[str, AgentEntry] = field(default_factory=dict)
    sealed: dict[str, str] = field(default_factory=dict, repr=False)
    refused: dict[str, set[tuple[ToolKind, str]]] = field(default_factory=dict)
    mappings: dict[str, list[str]] = field(default_factory=dict)

    def apply(self, collection: str, id: str, document: Document | None) -> None:
        match collection:
            case "scopes":
                _set(self.scopes, id, _parsed(Scope, document))
            case "servers":
                _set(self.servers, id, _parsed(ServerEntry, document))
            case "agents":
                _set(self.agents, id, _parsed(AgentEntry, document))
            case "credentials":
                _set(self.sealed, id, None if document is None else str(document.body["sealed"]))
            case groups.COLLECTION:
                _set(self.mappings, id, None if document is None else list(document.body["groups"]))
            case "tools":
                self._apply_tool(id, document)

    def _apply_tool(self, id: str, document: Document | None) -> None:
        slug, kind, name = id.split("/", 2)
        refused = self.refused.setdefault(slug, set())
        if document is not None and document.body["state"] != ToolState.ACTIVE:
            refused.add((ToolKind(kind), name))
        else:
            refused.discard((ToolKind(kind), name))


class Snapshot:
    """Scopes, servers, agents, sealed credentials, refused tools and group mappings, following the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._policy = _Policy()
        self._number = -1
        self._lock = asyncio.Lock()

    async def refresh(self) -> int:
        """Take in every change up to now; the answer is the epoch, read before anything else."""
        epoch = await self._store.latest_change()
        if self._number != epoch:
            async with self._lock:
                await self._follow(epoch)
        return epoch

    @property
    def scopes(self) -> list[Scope]:
        """Every scope."""
        return list(self._policy.scopes.values())

    def groups(self, provider: str, named: Iterable[str]) -> list[str]:
        """What the groups that a provider names count as here."""
        return groups.mapped(provider, named, self._policy.mappings)

    def server(self, slug: str) -> ServerEntry | None:
        """The server that is attached under this slug."""
        return self._policy.servers.get(slug)

    def agent(self, slug: str) -> AgentEntry | None:
        """The agent that is attached under this slug."""
        return self._policy.agents.get(slug)

    def sealed_credential(self, slug: str) -> str | None:
        """A server's credential as it is stored, still sealed; an agent's by its `credential_id`."""
        return self._policy.sealed.get(slug)

    def refused(self, slug: str) -> set[tuple[ToolKind, str]]:
        """What of a server is blocked or quarantined for everybody."""
        return self._policy.refused.get(slug, set())

    async def _follow(self, epoch: int) -> None:
        if epoch < self._number:
            epoch = await self._store.latest_change()
            if epoch < self._number:  # another store, such as a backup put back
                await self._load(epoch)
        while self._number < epoch:
            changes = None if self._number < 0 else await self._store.changes(self._number)
            if not changes:
                await self._load(epoch)
            else:
                self._apply(changes)

    def _apply(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._policy.apply(change.collection, change.id, change.document)
            self._number = change.number

    async def _load(self, epoch: int) -> None:
        policy = _Policy()
        for collection in ("scopes", "servers", "agents", "credentials", groups.COLLECTION):
            await self._load_all(policy, collection, {})
        for state in REFUSED:
            await self._load_all(policy, "tools", {"state": state.value})
        self._policy, self._number = policy, epoch

    async def _load_all(self, policy: _Policy, collection: str, where: Mapping[str, str]) -> None:
        cursor = None
        while True:
            page = await self._store.list(collection, where, limit=PAGE, cursor=cursor)
            for document in page.items:
                policy.apply(collection, document.id, document)
            cursor = page.next_cursor
            if cursor is None:
                return


def _set(target: dict[str, V], id: str, value: V | None) -> None:
    if value is None:
        target.pop(id, None)
    else:
        target[id] = value


def _parsed(model: type[M], document: Document | None) -> M | None:
    if document is None:
        return None
    try:
        return model.model_validate(document.body)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        log.warning("an unreadable policy document grants nothing", document=document.id, reason=reason)
        return None
