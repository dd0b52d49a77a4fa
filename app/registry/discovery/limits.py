"""Bounds on what an upstream may make the registry wait for, read and keep."""

from collections.abc import AsyncIterator

import httpx2

DEADLINE_S = 25.0
"""For one server, from the first connection to the last page.

Whoever asks for a refresh may wait for two looks, and the gateway waits a minute for its answer.
"""

MAX_AT_ONCE = 8
MAX_BYTES = 32 * 1024 * 1024
"""Of one answer; and of one event of a stream."""

MAX_PAGES = 500
MAX_DEFINITIONS = 5_000
"""Of one kind at one server."""


class AnswerTooLong(Exception):  # noqa: N818  (what happened)
    """An upstream's answer went on past MAX_BYTES."""


class BoundedStream(httpx2.AsyncByteStream):
    """The body of an answer; raises AnswerTooLong after MAX_BYTES."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_BYTES:
                raise AnswerTooLong(f"an answer is longer than {MAX_BYTES // 2**20} MiB")
            yield part

    async def aclose(self) -> None:
        """Close the body itself."""
        await self._stream.aclose()
