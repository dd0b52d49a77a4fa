from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from app.core.store.base import StoreError
from app.core.store.mongo.client import Client
from app.core.store.mongo.documents import Bson

_AUTHENTICATION_FAILED = 18
_DUPLICATE_KEY = 11000
_UNAUTHORIZED = 13
_NOT_IMPLEMENTED = {115, 238}
_NAMESPACE_EXISTS = 48
_BUILDING = "index build in progress"
Result = TypeVar("Result")


class Unsupported(StoreError):  # noqa: N818  (says what is so)
    """The server does not know this command or option."""


class Busy(StoreError):  # noqa: N818  (says what is so)
    """Another index of the collection is being built."""


class Refused(StoreError):  # noqa: N818  (says what is so)
    """The user may not do this."""


class Connection:
    """The few commands that the store needs, on one database, with its errors as StoreError.

    Each is one command that the server does as a whole; none needs a transaction. Where the server refuses
    the credentials, or no host is found by the URI, both are read again, and the command is repeated if they
    are others by now.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def find_one(
        self, collection: str, where: Bson, shown: Bson | None = None, *, local: bool = False
    ) -> Bson | None:
        """The document; `local` reads what the primary has, whether or not a majority has it too."""

        async def work(found: AsyncCollection[Bson]) -> Bson | None:
            chosen = found.with_options(read_concern=ReadConcern("local")) if local else found
            return await chosen.find_one(where, shown)

        return await self._run(collection, work)

    async def find(
        self, collection: str, where: Bson, shown: Bson | None = None, *, descending: bool = False, limit: int
    ) -> list[Bson]:
        """Documents in the order of `_id`."""
        order = [("_id", DESCENDING if descending else ASCENDING)]
        return await self._run(
            collection,
            lambda found: found.find(where, shown, sort=order, limit=limit, batch_size=limit).to_list(),
        )

    async def insert(self, collection: str, document: Bson) -> None:
        """Raises DuplicateKeyError."""
        await self._run(collection, lambda found: found.insert_one(document))

    async def insert_new(self, collection: str, documents: Sequence[Bson]) -> set[Any]:
        """Insert those whose `_id` is not there yet; the ids of the others."""

        async def work(found: AsyncCollection[Bson]) -> set[Any]:
            try:
                await found.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                wrong: list[Bson] = (error.details or {}).get("writeErrors", [])
                if not wrong or any(one["code"] != _DUPLICATE_KEY for one in wrong):
                    raise
                return {documents[one["index"]]["_id"] for one in wrong}
            return set()

        return await self._run(collection, work)

    async def update(self, collection: str, where: Bson, changes: Bson) -> bool:
        """Change one document; whether there was one."""
        done = await self._run(collection, lambda found: found.update_one(where, changes))
        return done.matched_count == 1

    async def upsert(self, collection: str, where: Bson, changes: Bson) -> None:
        """Change one document or make it. Raises DuplicateKeyError for one that is there but not so."""
        await self._run(collection, lambda found: found.update_one(where, changes, upsert=True))

    async def replace(self, collection: str, where: Bson, document: Bson, *, upsert: bool = False) -> None:
        """Replace one document. With `upsert` raises DuplicateKeyError as `upsert` does."""
        await self._run(collection, lambda found: found.replace_one(where, document, upsert=upsert))

    async def delete(self, collection: str, where: Bson) -> int:
        """How many were deleted."""
        done = await self._run(collection, lambda found: found.delete_many(where))
        return done.deleted_count

    async def take(self, collection: str, where: Bson) -> Bson | None:
        """Delete one document; what it was."""
        return await self._run(collection, lambda found: found.find_one_and_delete(where))

    async def create_collection(self, collection: str) -> None:
        """Make an empty one; nothing happens where it is there."""

        async def work(found: AsyncCollection[Bson]) -> None:
            try:
                await found.database.command("create", found.name)
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:
                    raise

        await self._run(collection, work)

    async def create_index(self, collection: str, index: IndexModel) -> None:
        """Make it where it is not there. Raises Unsupported, Busy."""
        await self._run(collection, lambda found: found.create_indexes([index]))

    async def indexes(self, collection: str) -> dict[str, Bson]:
        """The collection's indexes by name, as the server describes them."""

        async def work(found: AsyncCollection[Bson]) -> list[Bson]:
            return [dict(index) async for index in await found.list_indexes()]

        return {index["name"]: index for index in await self._run(collection, work)}

    async def names(self) -> list[str]:
        """The names of the collections, without the prefix of the settings."""
        prefix = self._client.prefix
        found = await self._run("meta", lambda any_: any_.database.list_collection_names())
        return [name.removeprefix(prefix) for name in found if name.startswith(prefix)]

    async def command(self, name: str) -> Bson:
        """Ask the server about itself."""
        return await self._run("meta", lambda found: found.database.client.admin.command(name))

    async def close(self) -> None:
        """Let go of the server."""
        await self._client.close()

    async def _run(
        self, collection: str, work: Callable[[AsyncCollection[Bson]], Awaitable[Result]]
    ) -> Result:
        try:
            database = self._client.database()
            try:
                return await work(self._collection(database, collection))
            except (ConfigurationError, OperationFailure) as error:
                if not _may_be_outdated(error) or not await self._client.renew(database):
                    raise
            return await work(self._collection(self._client.database(), collection))
        except DuplicateKeyError:
            raise
        except PyMongoError as error:
            if isinstance(error, OperationFailure) and error.code in _NOT_IMPLEMENTED:
                raise Unsupported(self._client.explain(error)) from error
            if isinstance(error, OperationFailure) and error.code == _UNAUTHORIZED:
                raise Refused(self._client.explain(error)) from error
            if isinstance(error, OperationFailure) and _BUILDING in str(error):
                raise Busy(self._client.explain(error)) from error
            raise StoreError(self._client.explain(error)) from error

    def _collection(self, database: AsyncDatabase[Bson], name: str) -> AsyncCollection[Bson]:
        return database[self._client.prefix + name]


def _may_be_outdated(error: PyMongoError) -> bool:
    """Whether a URI or credentials that were rotated meanwhile explain it."""
    return not isinstance(error, OperationFailure) or error.code == _AUTHENTICATION_FAILED
