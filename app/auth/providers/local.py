"""The built-in provider: people in the collection `users`, with argon2id hashes of their passwords."""

from functools import partial

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.auth.providers.base import Person
from app.core.models.identity_provider import LOCAL
from app.core.store import Conflict, Document, Store
from app.core.store.base import ABSENT

USERS = "users"
ADMIN_GROUPS = ["admins"]
CONCURRENT_HASHES = 2
"""Each takes 64 MiB and a core for some 50 ms; logins beyond these wait, verdicts do not."""

_hasher = PasswordHasher()


class LocalProvider:
    """People whose passwords Gatepost keeps itself; made for one administrator on a laptop."""

    def __init__(self, store: Store, nobody: str) -> None:
        self._store = store
        self._nobody = nobody
        self._hashing = CapacityLimiter(CONCURRENT_HASHES)

    @classmethod
    async def open(cls, store: Store) -> "LocalProvider":
        """The provider on this store. Unknown names are checked against a hash that nothing fits."""
        return cls(store, await hash_password("nobody has this name"))

    async def authenticate(self, username: str, password: str) -> Person | None:
        """The person with this name and password, or None."""
        user = await self._store.get(USERS, username)
        stored = self._nobody if user is None else str(user.body["password_hash"])
        fits = await to_thread.run_sync(partial(_fits, stored, password), limiter=self._hashing)
        if user is None or not fits:
            return None
        return person_of(user)

    async def person(self, subject: str) -> Person | None:
        """The person as recorded now, whatever the password."""
        user = await self._store.get(USERS, subject.removeprefix(f"{LOCAL}:"))
        return None if user is None else person_of(user)


async def hash_password(password: str) -> str:
    """The argon2id hash of a password with its parameters (RFC 9106), made off the event loop."""
    return await to_thread.run_sync(_hasher.hash, password)


async def add_administrator(store: Store, username: str, password: str) -> bool:
    """Make the administrator; False where another process was faster."""
    body = {
        "subject": f"local:{username}",
        "password_hash": await hash_password(password),
        "groups": ADMIN_GROUPS,
    }
    try:
        await store.put(USERS, username, body, expected=ABSENT)
    except Conflict:
        return False
    return True


def person_of(user: Document) -> Person:
    """The person of a document of `users`."""
    return Person(str(user.body["subject"]), LOCAL, list(user.body["groups"]), name=user.id)


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
