import asyncio
import re
import warnings
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from app.core.settings import Settings
from app.core.store.base import StoreError
from app.core.store.mongo.documents import Bson

DATABASE = "gatepost"
"""Where the URI names no database."""

DEFAULTS = {
    "appName": "gatepost",
    "connectTimeoutMS": 5_000,
    "maxPoolSize": 50,
    "serverSelectionTimeoutMS": 5_000,
    "socketTimeoutMS": 20_000,
    "waitQueueTimeoutMS": 5_000,
    "wTimeoutMS": 10_000,
}
"""Options of the connection that the URI may give otherwise; times in milliseconds."""

_DOCUMENTDB = re.compile(r"\.docdb(-elastic)?\.([a-z0-9-]+\.)*amazonaws\.com(\.cn)?(:\d+)?(,|$)")
_OTHERS_FINISH_S = 30.0
_URI = "GATEPOST_MONGODB_URI"
_CREDENTIALS = "the user in GATEPOST_MONGODB_URI, or GATEPOST_MONGODB_USERNAME and GATEPOST_MONGODB_PASSWORD"
_FIXES = {
    13: f"give the user the role readWrite on the database, or name another in {_URI}",
    18: f"check {_CREDENTIALS}",
    301: f"add retryWrites=false to {_URI}",
}
_Sources = tuple[str, str | None, str | None]


class Client:
    """A client of the server that the settings name; another one once its credentials were rotated."""

    def __init__(self, settings: Settings) -> None:
        """Connects with the first command. Raises StoreError for a URI that is none."""
        self.prefix = settings.mongodb_collection_prefix
        self._settings = settings
        self._sources = self._read()
        self._client = _connect(*self._sources)
        self._renewing = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def is_documentdb(self) -> bool:
        """Whether the address is one of Amazon DocumentDB."""
        return is_documentdb(self._sources[0])

    def database(self) -> AsyncDatabase[Bson]:
        """The database: always its primary, and what a majority of the servers has."""
        return self._client.get_default_database(
            DATABASE,
            codec_options=CodecOptions(tz_aware=True),
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority", j=True),
        )

    async def renew(self, refused: AsyncDatabase[Bson]) -> bool:
        """Whether the credentials are others by now than the refused ones; they are used from here on."""
        async with self._renewing:
            if refused.client is not self._client:
                return True
            if (sources := self._read()) == self._sources:
                return False
            old, self._client = self._client, _connect(*sources)
            self._sources = sources
            task = asyncio.create_task(_close_later(old))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            return True

    def explain(self, error: PyMongoError) -> str:
        """A failure in words: where, why, and what to do. It holds no credentials."""
        hosts = urlsplit(self._sources[0]).netloc.rpartition("@")[2]
        reason, fix = str(error), f"check {_URI}"
        if isinstance(error, OperationFailure):
            reason = str((error.details or {}).get("errmsg") or reason)
            fix = _FIXES.get(error.code or 0, "the log of the database says more")
        elif isinstance(error, AutoReconnect):
            reason = re.split(r" \(configured timeouts|, Timeout:", reason)[0]
            fix = f"start it, or check the address and TLS options in {_URI}"
        return f"the database at {hosts} cannot be used: {reason}; {fix}"

    async def close(self) -> None:
        """Close every connection."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._client.close()

    def _read(self) -> _Sources:
        uri = self._settings.secret("mongodb_uri")
        if uri is None:
            raise StoreError(f"no database is named; set {_URI}")
        password = self._settings.secret("mongodb_password")
        if password == "":
            raise StoreError("GATEPOST_MONGODB_PASSWORD is empty; write the password into its file")
        return uri, self._settings.mongodb_username, password


def options(uri: str) -> dict[str, Any]:
    """What this URI leaves open: our defaults; no retryable writes on DocumentDB, new in its version 8."""
    given = {name.lower() for name in _given(uri)}
    found: dict[str, Any] = {name: value for name, value in DEFAULTS.items() if name.lower() not in given}
    if is_documentdb(uri) and "retrywrites" not in given:
        found["retryWrites"] = False
    return found


def is_documentdb(uri: str) -> bool:
    """Whether the hosts of a URI are those of Amazon DocumentDB."""
    return bool(_DOCUMENTDB.search(urlsplit(uri).netloc))


def _given(uri: str) -> set[str]:
    return set(parse_qs(urlsplit(uri).query, keep_blank_values=True))


def _connect(uri: str, username: str | None, password: str | None) -> AsyncMongoClient[Bson]:
    credentials = {"username": username, "password": password}
    known: dict[str, Any] = {name: value for name, value in credentials.items() if value is not None}
    if "@" in "".join(re.split("([/?#])", uri.partition("://")[2], maxsplit=1)[1:]):
        # Every parser takes another part of such a password for a host or an option, and would print it.
        raise StoreError(
            f"{_URI} has an @ after its hosts; write each of / ? # @ : % in the user, the password and the "
            "options as % and its two hexadecimal digits (@ is %40)"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # pymongo only warns of options that it leaves out
            return AsyncMongoClient(uri, **options(uri), **known)
    except UserWarning as warning:
        raise StoreError(f"{_URI} has the options {', '.join(sorted(_given(uri)))}: {warning}") from None
    except (PyMongoError, ValueError, OSError) as error:
        raise StoreError(f"{_URI} cannot be used: {error}") from None


async def _close_later(client: AsyncMongoClient[Bson]) -> None:
    try:
        await asyncio.sleep(_OTHERS_FINISH_S)
    finally:
        await client.close()
