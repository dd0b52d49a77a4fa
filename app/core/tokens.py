import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.core.models.token import Token
from app.core.store import ABSENT, Conflict, Document, Store

PREFIX = "gp_"
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_TOKENS, _USES = "tokens", "token_uses"
_KEPT = timedelta(days=30)
"""How long a dead token is remembered, so that its holder hears `expired` or `revoked` and not `unknown`."""
_TOUCH_EVERY = timedelta(minutes=1)


def mint() -> str:
    """A new token value with 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def well_formed(value: str) -> bool:
    """Whether the value looks like one of ours."""
    return _FORM.fullmatch(value) is not None


def digest(value: str) -> str:
    """The SHA-256 of a token value, in hex: the id of its document."""
    return hashlib.sha256(value.encode()).hexdigest()


class TokenStore:
    """Personal access tokens in the store, which never holds their values."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(
        self,
        name: str,
        subject: str,
        scopes: Sequence[str] | None,
        expires_at: datetime | None,
        made_by: str | None = None,
    ) -> tuple[Token, str]:
        """A new token and its value, which is nowhere else; `made_by` is the id of the one that makes it."""
        value = mint()
        token = Token(
            id=secrets.token_hex(6),
            name=name,
            subject=subject,
            scopes=None if scopes is None else list(scopes),
            created_at=datetime.now(UTC),
            expires_at=expires_at,
            made_by=made_by,
        )
        await self._write(digest(value), token, ABSENT, affects=())
        return token, value

    async def in_force(self, subject: str, id: str) -> bool:
        """Whether a subject has a token of that public id which is not revoked."""
        found = (await self._store.list(_TOKENS, {"subject": subject, "id": id})).items
        return any(document.body["revoked_at"] is None for document in found)

    async def find(self, value: str) -> Token | None:
        """The token with that value, expired and revoked ones too; None for a value that is not known."""
        found = await self._store.get(_TOKENS, digest(value)) if well_formed(value) else None
        return None if found is None else Token.model_validate(found.body)

    async def list(self, subject: str) -> Sequence[Token]:
        """A subject's tokens, newest first."""
        tokens = [Token.model_validate(found.body) for found in await self._all(_TOKENS, subject)]
        return sorted(tokens, key=lambda token: token.created_at, reverse=True)

    async def last_uses(self, subject: str) -> dict[str, datetime]:
        """When each of a subject's tokens was last used, by `Token.id`; nothing for one that never was."""
        uses = await self._all(_USES, subject)
        return {found.id: datetime.fromisoformat(found.body["used_at"]) for found in uses}

    async def revoke(self, subject: str, id: str) -> bool:
        """Revoke a subject's token by its public id, and those made with it; False where there is none."""
        if not await self._revoke_one(subject, id):
            return False
        for made in await self.list(subject):
            if made.made_by == id:
                await self.revoke(subject, made.id)
        return True

    async def _revoke_one(self, subject: str, id: str) -> bool:
        while found := (await self._store.list(_TOKENS, {"subject": subject, "id": id})).items:
            token = Token.model_validate(found[0].body)
            if token.revoked_at is not None:
                return True
            revoked = token.model_copy(update={"revoked_at": datetime.now(UTC)})
            try:
                await self._write(found[0].id, revoked, found[0].revision, affects=(f"principal:{subject}",))
            except Conflict:
                continue
            return True
        return False

    async def touch(self, token: Token) -> None:
        """Note that a token was used now, at most once a minute."""
        now = datetime.now(UTC)
        found = await self._store.get(_USES, token.id)
        if found is None or now - datetime.fromisoformat(found.body["used_at"]) >= _TOUCH_EVERY:
            body = {"subject": token.subject, "used_at": now.isoformat()}
            await self._store.put(_USES, token.id, body, expires_at=_forgotten_at(token))

    async def _write(self, document_id: str, token: Token, expected: int, affects: Sequence[str]) -> None:
        body = token.model_dump(mode="json")
        await self._store.commit(
            _TOKENS, document_id, body, expected=expected, affects=affects, expires_at=_forgotten_at(token)
        )

    async def _all(self, collection: str, subject: str) -> Sequence[Document]:
        items: Sequence[Document] = []
        cursor = None
        while True:
            page = await self._store.list(collection, {"subject": subject}, limit=1000, cursor=cursor)
            items, cursor = [*items, *page.items], page.next_cursor
            if cursor is None:
                return items


def _forgotten_at(token: Token) -> float | None:
    ends = [moment for moment in (token.revoked_at, token.expires_at) if moment is not None]
    return (min(ends) + _KEPT).timestamp() if ends else None
