"""Where documents hold sealed secrets, and how these follow to a store with other sealing keys."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.core.sealing import Sealer
from app.core.store import Stored
from app.core.transfer.archive import line_of

SEALED: Mapping[str, tuple[str, Callable[[Stored], str]]] = {
    "credentials": ("sealed", lambda stored: f"credential/{stored.id}"),
    "grants": ("seed", lambda stored: f"refresh/{stored.id}"),
    "keys": ("sealed", lambda stored: f"key/{stored.body['kid']}"),
    "logins": ("sealed", lambda stored: f"login/{stored.id}"),
}
"""By collection: the member that is sealed, and the context that it is sealed for."""


def resealed(sealer: Sealer, collection: str, stored: Stored) -> Stored:
    """The document with its secret sealed by the first key. Raises SealError where no key opens it."""
    return _with_secret(collection, stored, sealer.renew)


def opened_line(sealer: Sealer, collection: str, stored: Stored) -> str:
    """The line of a document with a hash of its secret in place of the sealed text. Raises SealError."""

    def digest(sealed: str, context: str) -> str:
        return hashlib.sha256(sealer.open(sealed, context)).hexdigest()

    return line_of(collection, _with_secret(collection, stored, digest))


def _with_secret(collection: str, stored: Stored, change: Callable[[str, str], str]) -> Stored:
    member, context = SEALED.get(collection, ("", lambda _: ""))
    sealed = stored.body.get(member)
    if not isinstance(sealed, str) or not sealed:
        return stored
    return replace(stored, body={**stored.body, member: change(sealed, context(stored))})
