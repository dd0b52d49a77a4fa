from collections.abc import Iterable, Sequence

from app.auth.clients.model import SUBJECT, Client
from app.auth.clients.service import CLIENTS, client_of
from app.core.models.scope import WILDCARD
from app.core.store import ABSENT, Document, Store

BOUND = ("grants", "consents")
"""Collections of what people gave to a client, by its `client_id`: it ends with the client."""


class ClientRepository:
    """Registered clients in the store, those of administrators and those that registered themselves."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, client_id: str) -> Document | None:
        """The document of a client; None where there is none."""
        return await self._store.get(CLIENTS, client_id)

    async def page(
        self, kind: str | None, limit: int, cursor: str | None
    ) -> tuple[Sequence[Document], str | None]:
        """Clients by id, and the next page's cursor."""
        where = None if kind is None else {"kind": kind}
        page = await self._store.list(CLIENTS, where, limit=limit, cursor=cursor)
        return page.items, page.next_cursor

    async def create(self, client: Client) -> Document:
        """Raises Conflict where the id is taken."""
        return await self._commit(client, ABSENT)

    async def replace(self, client: Client, expected: int) -> Document:
        """Raises Conflict where it is at another revision by now."""
        return await self._commit(client, expected)

    async def delete(self, document: Document) -> None:
        """With what people gave to it, so that a later one of that id has nothing of it. Raises Conflict."""
        client = client_of(document)
        # Whose verdicts rest on it is in no index; it happens rarely, and each is asked for again once.
        await self._store.commit(
            CLIENTS, client.client_id, None, expected=document.revision, affects=[WILDCARD]
        )
        for collection in BOUND:
            while found := (await self._store.list(collection, {"client_id": client.client_id})).items:
                for bound in found:
                    await self._store.delete(collection, bound.id)

    async def _commit(self, client: Client, expected: int) -> Document:
        affects: Iterable[str] = {f"principal:{SUBJECT}{client.client_id}"}
        body = client.model_dump(mode="json")
        document = await self._store.commit(
            CLIENTS, client.client_id, body, expected=expected, affects=affects
        )
        assert document is not None  # noqa: S101  (a body was written)
        return document
