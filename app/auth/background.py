import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Work nobody waits for, such as noting a token's last use; a failure is logged and goes no further."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Start `work` now; `name` says in the log what failed."""
        task = asyncio.create_task(self._guarded(name, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for what still runs; called before the store closes."""
        await asyncio.gather(*self._tasks)

    @staticmethod
    async def _guarded(name: str, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception:
            log.exception("background work failed", work=name)
