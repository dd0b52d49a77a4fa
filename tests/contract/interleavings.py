"""Writers, deaths and readers in random order, one command of one of them at a time, on a real server.

Each handle passes a gate with each command; the schedule says whose is next, and whether it is lost: its
writer may die before or after it, or hear of an error though it was done. Afterwards nothing may be missing,
doubled or out of order.
"""

import asyncio
import importlib
import itertools
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError

from app.core.settings import Settings
from app.core.store import Conflict, StoreError
from app.core.store.mongo import documents
from app.core.store.mongo.client import Client
from app.core.store.mongo.commits import Commits, Write
from app.core.store.mongo.connection import Connection
from app.core.store.mongo.writer import Writer

# Imported by Hypothesis in mid-test, deep in a stack, it can meet a fault of Python 3.11 in ast.parse.
importlib.import_module("hypothesis.internal.conjecture.optimiser")

EXAMPLES = int(os.environ.get("INTERLEAVINGS", "300"))
DOCS = "docs"
_names = itertools.count()
Command = Callable[[], Awaitable[Any]]


class Gated:
    """A connection whose commands wait until the schedule lets them pass."""

    def __init__(self, real: Connection, gate: Callable[[Command], Awaitable[Any]]) -> None:
        self._real, self._gate = real, gate

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        command = getattr(self._real, name)
        return lambda *given, **more: self._gate(lambda: command(*given, **more))


@dataclass
class History:
    """What was answered."""

    committed: dict[str, int | None] = field(default_factory=dict)
    written: list[tuple[str, str, int]] = field(default_factory=list)
    deleted: bool = False
    doubtful: bool = False
    seen: list[list[str]] = field(default_factory=list)


@dataclass
class Schedule:
    """Lets one waiting command pass at a time; loses some."""

    rng: random.Random
    loss: float
    history: History
    waiting: dict[str, tuple[Command, asyncio.Future[Any]]] = field(default_factory=dict)

    def gate(self, name: str) -> Callable[[Command], Awaitable[Any]]:
        def wait(command: Command) -> Awaitable[Any]:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self.waiting[name] = command, future
            return future

        return wait

    async def run(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        while alive := {name for name, task in tasks.items() if not task.done()}:
            if alive <= self.waiting.keys():
                name = self.rng.choice(sorted(alive))
                await self._pass(name, *self.waiting.pop(name), tasks[name])
            await asyncio.sleep(0)

    async def _pass(
        self, name: str, command: Command, future: asyncio.Future[Any], task: asyncio.Task[None]
    ) -> None:
        lost = self.rng.random() < self.loss
        self.history.doubtful |= lost
        if not lost or self.rng.random() < 0.5:
            try:
                done = await command()
            except DuplicateKeyError as error:
                if not lost:
                    future.set_exception(error)
                    return
            else:
                if not lost:
                    future.set_result(done)
                    return
        if self.rng.random() < 0.5:
            task.cancel()
        else:
            future.set_exception(StoreError("the connection broke"))


async def _write(rng: random.Random, writer: Writer, commits: Commits, name: str, history: History) -> None:
    for step in range(rng.randint(1, 3)):
        id, value, body = rng.choice("ab"), f"{name}{step}", f'{{"by":"{name}{step}"}}'
        kind = rng.choice(["commit", "commit", "put", "remove", "delete", "take"])
        try:
            expected = (await commits.state(DOCS, id)).shown if rng.random() < 0.5 else None
            if kind == "commit":
                made = await writer.commit(Write(DOCS, id, body, [value], documents.NEVER), expected)
                assert made is not None
                history.committed[value] = made.revision
                history.written.append((id, value, made.revision))
            elif kind == "put":
                made = await writer.put(DOCS, id, documents.content(body, documents.NEVER), expected)
                history.written.append((id, value, made.revision))
            elif kind == "remove":
                await writer.commit(Write(DOCS, id, None, [value], documents.NEVER), None)
                history.deleted = True
            elif kind == "delete":
                gone = await writer.delete(DOCS, id, None)
                history.deleted |= gone
            else:
                taken = await writer.take(DOCS, id)
                history.deleted |= taken is not None
        except Conflict:
            continue
        except StoreError:
            continue


async def _follow(rng: random.Random, commits: Commits, connection: Connection, history: History) -> None:
    seen: list[str] = []
    history.seen.append(seen)
    for _ in range(rng.randint(2, 5)):
        try:
            changes = await commits.since(len(seen), 2)
            assert changes is not None
            for change in changes:
                assert change["number"] == len(seen) + 1
                seen.append(change["affects"][0])
                found = await connection.find_one(DOCS, {"_id": change["id"]})
                assert not found or (found.get("claim") or {}).get("by") != change["by"], "seen, not applied"
        except StoreError:
            continue


async def _check(commits: Commits, connection: Connection, history: History) -> None:
    """As a process sees it that comes afterwards and meets all that was left."""
    for found in await connection.find(DOCS, {}, limit=10):
        if found.get("claim"):
            await commits.finish(found["claim"])
    newest = await commits.newest()
    log = await connection.find("changes", {}, limit=100)
    assert [change["number"] for change in log] == list(range(1, newest + 1))
    values = [change["affects"][0] for change in log]
    assert len(values) == len(set(values)), "doubled"
    assert history.committed.keys() <= set(values), "an acknowledged commit is missing"
    for seen in history.seen:
        assert values[: len(seen)] == seen, "reordered"
    if history.deleted or history.doubtful:
        return
    for id in "ab":
        revisions = sorted(revision for of, _, revision in history.written if of == id)
        assert revisions == list(range(1, len(revisions) + 1)), f"a write was lost: {history}"
        if found_ := await connection.find_one(DOCS, {"_id": id, "revision": {"$gt": 0}}):
            last = max((w for w in history.written if w[0] == id), key=lambda written: written[2])
            assert (found_["revision"], found_["members"]["by"]) == (last[2], last[1])


async def _example(mongodb: Settings, rng: random.Random, loss: float) -> None:
    prefix = f"{mongodb.mongodb_collection_prefix}x{next(_names)}_"
    connection = Connection(Client(mongodb.model_copy(update={"mongodb_collection_prefix": prefix})))
    history = History()
    schedule = Schedule(rng, loss, history)
    tasks: dict[str, asyncio.Task[None]] = {}
    for name in ("P", "Q", "R")[: rng.randint(2, 3)]:
        gated: Any = Gated(connection, schedule.gate(name))
        commits = Commits(gated, 1000)
        tasks[name] = asyncio.create_task(_write(rng, Writer(gated, commits), commits, name, history))
    for name in ("reader", "other reader"):
        gated = Gated(connection, schedule.gate(name))
        tasks[name] = asyncio.create_task(_follow(rng, Commits(gated, 1000), connection, history))
    try:
        await schedule.run(tasks)
        for task in tasks.values():
            if not task.cancelled():
                task.result()
        await _check(Commits(connection, 1000), connection, history)
    finally:
        await connection.close()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(rng=st.randoms(use_true_random=False), loss=st.sampled_from([0.0, 0.05, 0.2]))
async def test_no_order_of_writers_deaths_and_readers_loses_doubles_or_reorders_a_change(
    mongodb: Settings, rng: random.Random, loss: float
) -> None:
    await _example(mongodb, rng, loss)
