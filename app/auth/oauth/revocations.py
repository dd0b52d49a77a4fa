"""Access tokens that were revoked one by one (RFC 7009), by their `jti`."""

import time

from app.auth.oauth.access import AccessToken
from app.core.store import Store

REVOKED = "revoked_tokens"
SLACK_S = 60


class Revocations:
    """Revoked tokens, remembered until they would have ended."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def revoke(self, token: AccessToken) -> None:
        """End one token and those exchanged for it, at every gateway."""
        await self._store.commit(
            REVOKED,
            token.id,
            {"subject": token.subject, "revoked_at": time.time()},
            affects={f"principal:{token.subject}"},
            expires_at=token.expires_at + SLACK_S,
        )

    async def covers(self, token: AccessToken) -> bool:
        """Whether a token, or one it was exchanged for, was revoked."""
        for id in (token.id, *token.parents):
            if await self._store.get(REVOKED, id) is not None:
                return True
        return False
