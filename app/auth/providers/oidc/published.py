"""What a provider publishes at an address, kept here: fetched once for all who ask, renewed, never lost."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from app.auth.background import Background
from app.auth.providers.base import ProviderUnavailable

KEPT_S = 600.0
RENEWED_AT_MOST_EVERY_S = 2.0
"""Anybody can send a token with a key id that nobody knows."""
_log = structlog.get_logger(__name__)
T = TypeVar("T")


class Published(Generic[T]):
    """A value behind `fetch`. While it cannot be fetched again, the last one goes on being used."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        background: Background,
        *,
        renewed_at_most_every_s: float = RENEWED_AT_MOST_EVERY_S,
    ) -> None:
        self._fetch = fetch
        self._background = background
        self._pause_s = renewed_at_most_every_s
        self._lock = asyncio.Lock()
        self._value: T | None = None
        self._failure: ProviderUnavailable | None = None
        self._attempts = 0
        self._tried_at = float("-inf")

    async def current(self) -> T:
        """The value; one that is old is renewed while it goes on being used.

        Raises ProviderUnavailable where it never could be fetched.
        """
        if self._value is None:
            return await self.renewed()
        if time.monotonic() - self._tried_at >= KEPT_S:
            self._tried_at = time.monotonic()
            self._background.run("renew what a provider publishes", self._renew_quietly())
        return self._value

    async def renewed(self) -> T:
        """The value, fetched after this was asked; all who ask meanwhile share the answer.

        Raises ProviderUnavailable.
        """
        if self._failure is not None and time.monotonic() - self._tried_at < self._pause_s:
            raise self._failure
        seen = self._attempts
        async with self._lock:
            if self._attempts == seen:
                # Waited for, not refused: a key that was published a moment ago must be found.
                await asyncio.sleep(self._tried_at + self._pause_s - time.monotonic())
                await self._try()
        if self._failure is not None:
            raise self._failure
        assert self._value is not None  # noqa: S101  (no failure: there is a value)
        return self._value

    async def recent(self) -> T:
        """The value, from a provider that answered just now. Raises ProviderUnavailable where it does not."""
        if self._value is None or self._failure or time.monotonic() - self._tried_at >= self._pause_s:
            return await self.renewed()
        return self._value

    async def _try(self) -> None:
        self._tried_at = time.monotonic()
        self._attempts += 1
        try:
            self._value = await self._fetch()
            self._failure = None
        except ProviderUnavailable as error:
            self._failure = error

    async def _renew_quietly(self) -> None:
        async with self._lock:
            await self._try()
        if self._failure is not None:
            _log.warning("what a provider publishes cannot be renewed", reason=str(self._failure))
