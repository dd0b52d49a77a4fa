"""Grants: what a person gave to a client, for as long as the client holds tokens of it."""

import secrets
import time
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.auth.oauth.refresh_tokens import RefreshToken
from app.core.store import ABSENT, Conflict, Document, Store

GRANTS = "grants"
SLACK_S = 60
"""How much longer than its tokens a grant is kept: clocks differ."""


class Grant(BaseModel):
    """`resource` is a path, EVERYTHING for all; `scopes` None narrows nothing.

    `login` is the person's login that vouches for it. `groups` are given where no person does: by a token of
    a provider that was exchanged, as the provider names them. `refresh` is the digest of the current refresh
    token and `previous` that of the one before; the one that follows comes of `seed`, which is sealed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    kind: Literal["code", "exchange"]
    subject: str
    client_id: str
    client_name: str
    resource: str
    scopes: list[str] | None
    login: str | None = None
    groups: list[str] | None = None
    refresh: str | None = Field(None, repr=False)
    previous: str | None = Field(None, repr=False)
    seed: str | None = Field(None, repr=False)
    created_at: float
    used_at: float
    revoked_at: float | None = None


def new_id() -> str:
    """The id of a grant that is to be made."""
    return secrets.token_hex(16)


class Grants:
    """Grants in the store. One that is revoked is kept as such for as long as its tokens would live."""

    def __init__(self, store: Store, token_life_s: float, refresh_life_s: float) -> None:
        self._store = store
        self._token_life_s = token_life_s
        self._refresh_life_s = refresh_life_s

    async def create(self, grant: Grant) -> None:
        """Keep a new grant. Raises Conflict where its id was revoked before it was made."""
        await self._put(grant, ABSENT)

    async def find(self, id: str) -> tuple[Grant, int] | None:
        """The grant in force with that id, and its revision."""
        found = await self._store.get(GRANTS, id)
        if found is None or found.body.get("revoked_at") is not None:
            return None
        return _grant(found), found.revision

    async def rotate(self, grant: Grant, revision: int, token: RefreshToken) -> None:
        """Make `token` the current one. Raises Conflict where another request was faster."""
        update = {"refresh": token.digest, "previous": grant.refresh, "used_at": time.time()}
        await self._put(grant.model_copy(update=update), revision)

    async def revoke(self, id: str) -> None:
        """End a grant with all its tokens, at every gateway; one that is about to be made as well."""
        while True:
            found = await self._store.get(GRANTS, id)
            body = {"revoked_at": time.time()} if found is None else {**found.body, "revoked_at": time.time()}
            if found is not None and found.body.get("revoked_at") is not None:
                return
            affects = () if found is None else (f"principal:{found.body['subject']}",)
            try:
                await self._store.commit(
                    GRANTS,
                    id,
                    body,
                    expected=ABSENT if found is None else found.revision,
                    affects=affects,
                    expires_at=time.time() + self._token_life_s + SLACK_S,
                )
            except Conflict:
                continue
            return

    async def work_by(self, login: str) -> bool:
        """Whether a grant in force is vouched for by that login."""
        where = {"login": login, "revoked_at": None}
        return bool((await self._store.list(GRANTS, where, limit=1)).items)

    async def of(self, subject: str) -> Sequence[Grant]:
        """A subject's grants in force, newest first."""
        items: list[Grant] = []
        cursor = None
        while True:
            where = {"subject": subject, "revoked_at": None}
            page = await self._store.list(GRANTS, where, limit=500, cursor=cursor)
            items += [_grant(found) for found in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return sorted(items, key=lambda grant: grant.created_at, reverse=True)

    async def _put(self, grant: Grant, expected: int) -> None:
        life_s = self._refresh_life_s if grant.refresh else self._token_life_s
        ends = time.time() + life_s + SLACK_S
        await self._store.put(
            GRANTS, grant.id, grant.model_dump(mode="json"), expected=expected, expires_at=ends
        )


def _grant(found: Document) -> Grant:
    return Grant.model_validate(found.body)
