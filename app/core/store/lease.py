"""A lease in the store as a block: work that one process does at a time, whatever number of them ask."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.core.store.base import Store, StoreError

_RENEWALS = 3
_MARGIN = 0.2
_RETRY_S = (0.01, 0.1)


class LeaseTaken(StoreError):  # noqa: N818  (says what is so)
    """Somebody else held the lease for as long as was waited; repeat the request."""


class LeaseLost(StoreError):  # noqa: N818  (says what is so)
    """The lease could not be renewed, so the work under it was stopped; repeat the request."""


@asynccontextmanager
async def lease(
    store: Store, name: str, seconds: float = 10.0, *, wait_s: float = 20.0
) -> AsyncIterator[None]:
    """Hold the lease `name` while the block runs: waited for up to `wait_s`, renewed, given back at the end.

    A holder that dies keeps others out for `seconds` at most. A block whose lease cannot be renewed is
    cancelled a fifth of `seconds` before another can take it. What the block writes should still expect a
    revision where it can: a process may be stopped between two of its steps for longer than that.
    Raises LeaseTaken, LeaseLost, StoreError.
    """
    holder = secrets.token_hex(16)
    try:
        until = await _taken(store, name, holder, seconds, wait_s)
        async with asyncio.timeout_at(until) as limit:
            renewing = asyncio.create_task(_renew(store, name, holder, seconds, limit))
            try:
                yield
            finally:
                renewing.cancel()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise LeaseLost(f"the lease {name} was lost while it was needed; repeat the request") from error
    finally:
        # One that cannot be given back ends by itself.
        with suppress(StoreError):
            await store.release(name, holder)


async def _taken(store: Store, name: str, holder: str, seconds: float, wait_s: float) -> float:
    clock = asyncio.get_running_loop().time
    give_up = clock() + wait_s
    while True:
        # Counted from before the question: the store counts from its answer, which is later.
        asked = clock()
        if await store.acquire(name, holder, seconds):
            return asked + seconds * (1 - _MARGIN)
        if asked > give_up:
            raise LeaseTaken(f"the lease {name} is held by another process; repeat the request in a while")
        await asyncio.sleep(random.uniform(*_RETRY_S))  # noqa: S311  (spreads the askers, no secret)


async def _renew(store: Store, name: str, holder: str, seconds: float, limit: asyncio.Timeout) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(seconds / _RENEWALS)
        asked = clock()
        try:
            held = await store.acquire(name, holder, seconds)
        except StoreError:
            continue
        if limit.expired():
            return
        limit.reschedule(asked + seconds * (1 - _MARGIN) if held else asked)
