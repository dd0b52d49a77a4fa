import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from app.core.models import ToolKind, ToolRecord, ToolState
from app.core.store import Conflict, Document, Store
from app.registry.servers.repository import affects

COLLECTION = "tools"
_PAGE = 500


def definition_hash(definition: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of a definition as JSON with sorted members and no spaces."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def document_id(slug: str, kind: ToolKind, name: str) -> str:
    """The id of a definition's document."""
    return f"{slug}/{kind}/{name}"


class ToolRepository:
    """What servers offer, one document each; a state is set by people and outlives discovery."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, slug: str, kind: ToolKind, name: str) -> Document | None:
        """The document of one definition; None where the server has none of that name."""
        return await self._store.get(COLLECTION, document_id(slug, kind, name))

    async def of_server(self, slug: str) -> Sequence[Document]:
        """All that a server offers, by kind and name."""
        found: list[Document] = []
        cursor = None
        while True:
            page = await self._store.list(COLLECTION, {"server": slug}, limit=_PAGE, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def set_state(self, document: Document, state: ToolState) -> ToolRecord:
        """Change the state, in force at every gateway. Raises Conflict."""
        record = ToolRecord.model_validate(document.body).model_copy(update={"state": state})
        await self._store.commit(
            COLLECTION,
            document.id,
            record.model_dump(mode="json"),
            expected=document.revision,
            affects=affects(record.server),
        )
        return record

    async def replace_all(self, slug: str, found: Sequence[ToolRecord]) -> None:
        """Make a server's definitions those that were found, each with the state it has.

        One that is gone is deleted, unless it is blocked or quarantined: a server could else unblock a tool
        by hiding it once.
        """
        wanted = {record.id: record for record in found}
        known = {document.id: document for document in await self.of_server(slug)}
        for record in wanted.values():
            await self._write(record, known.get(record.id))
        for id in known.keys() - wanted.keys():
            if known[id].body["state"] == ToolState.ACTIVE:
                with suppress(Conflict):  # somebody blocked it meanwhile: it stays
                    await self._store.delete(COLLECTION, id, expected=known[id].revision)

    async def delete_all(self, slug: str) -> None:
        """Forget all that a server offered, blocks too."""
        for document in await self.of_server(slug):
            if document.body["state"] == ToolState.ACTIVE:
                await self._store.delete(COLLECTION, document.id)
            else:
                await self._store.commit(COLLECTION, document.id, None, affects=affects(slug))

    async def _write(self, record: ToolRecord, known: Document | None) -> None:
        while known is None or known.body["hash"] != record.hash:
            state = ToolState.ACTIVE if known is None else ToolState(known.body["state"])
            body = record.model_copy(update={"state": state}).model_dump(mode="json")
            try:
                await self._store.put(
                    COLLECTION, record.id, body, expected=0 if known is None else known.revision
                )
            except Conflict:  # somebody blocked it meanwhile: their state stays
                known = await self._store.get(COLLECTION, record.id)
            else:
                return
