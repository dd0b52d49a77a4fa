"""Access tokens for upstreams, kept in this process and renewed before they expire."""

import asyncio
import time

from app.core.credentials import UpstreamCredential
from app.core.settings import Settings
from app.core.token_endpoint import AccessToken, TokenRefused, request_token

PATIENCE_S = 3.0
"""How long a caller waits; the request itself goes on, and the next caller finds its answer."""
RETRY_S = 10.0


class UpstreamTokens:
    """Tokens by credential; each is asked for once at a time, and a dead endpoint holds up its server alone.

    A failure is remembered for RETRY_S. While the token before is still good it is sent on.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, AccessToken] = {}
        self._failed: dict[str, tuple[float, TokenRefused]] = {}
        self._asking: dict[str, asyncio.Task[AccessToken]] = {}

    async def headers(self, credential: UpstreamCredential) -> tuple[dict[str, str], float | None]:
        """What the upstream is sent, and until when, in seconds since the Unix epoch; None for no end.

        Raises TokenRefused.
        """
        if credential.oauth is None:
            return credential.headers, None
        token = await self._token(credential)
        return {"Authorization": f"Bearer {token.value}"}, token.ends_at

    async def _token(self, credential: UpstreamCredential) -> AccessToken:
        known, now = self._known.get(credential.sealed), time.time()
        if known is not None and now < known.refresh_at:
            return known
        try:
            return await self._fresh(credential, now)
        except TokenRefused:
            if known is not None and time.time() < known.ends_at:
                return known
            raise

    async def _fresh(self, credential: UpstreamCredential, now: float) -> AccessToken:
        until, failure = self._failed.get(credential.sealed, (0.0, None))
        if failure is not None and now < until:
            raise TokenRefused(str(failure))
        try:
            return await asyncio.wait_for(asyncio.shield(self._question(credential)), PATIENCE_S)
        except TimeoutError:
            raise TokenRefused(f"the token endpoint did not answer within {PATIENCE_S:g} s") from None

    def _question(self, credential: UpstreamCredential) -> asyncio.Task[AccessToken]:
        key = credential.sealed
        task = self._asking.get(key)
        if task is None:
            assert credential.oauth is not None  # noqa: S101  (only those are asked for)
            task = self._asking[key] = asyncio.create_task(request_token(self._settings, credential.oauth))
            task.add_done_callback(lambda done: self._answered(key, done))
        return task

    def _answered(self, key: str, task: asyncio.Task[AccessToken]) -> None:
        del self._asking[key]
        now = time.time()
        self._known = {name: token for name, token in self._known.items() if now < token.expires_at}
        self._failed = {name: failed for name, failed in self._failed.items() if now < failed[0]}
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._known[key] = task.result()
        elif isinstance(error, TokenRefused):
            self._failed[key] = (now + RETRY_S, error)
