from collections.abc import Sequence

from pydantic import BaseModel

from app.core.models.scope import WILDCARD
from app.core.store import Change, Store

PAGE = 1000


class Epoch(BaseModel):
    """The number of the newest change, and what the changes up to it touch."""

    epoch: int
    affects: list[str]


async def changed_since(store: Store, since: int | None) -> Epoch:
    """What a gateway that knows all up to `since` must ask anew: `*` where that is not known."""
    newest = await store.latest_change()
    if since is None or since == newest:
        return Epoch(epoch=newest, affects=[])
    if since > newest:
        # Another store's number, such as from before a backup was put back.
        return Epoch(epoch=newest, affects=[WILDCARD])
    affects: set[str] = set()
    while since < newest:
        changes: Sequence[Change] | None = await store.changes(since, PAGE)
        if not changes:
            return Epoch(epoch=newest, affects=[WILDCARD])
        affects.update(*(change.affects for change in changes))
        since = changes[-1].number
    return Epoch(epoch=since, affects=sorted(affects))
