"""Callers of a server in trouble, and how each of their calls ended."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, Any

from tests.e2e.load import Target
from tests.e2e.stack import CHECKOUT
from tests.e2e.wire import BrokenOffError, Connection

KEPT = 4096
PAUSE_S = 0.01


@dataclass(frozen=True)
class Ending:
    """`whole` where the answer came to its end; `start` is the first part of the body."""

    status: int
    size: int
    whole: bool
    start: bytes

    @property
    def rule(self) -> str | None:
        """The rule of the JSON-RPC error that the caller got; None for anything else."""
        try:
            rule: str = json.loads(self.start)["error"]["data"]["rule"]
        except (ValueError, KeyError, TypeError):
            return None
        return rule


@contextmanager
def trouble(target: Target, message: dict[str, Any], callers: int = 4) -> Iterator[list[Ending]]:
    """Send that message again and again until the block ends, in a process of its own.

    The list grows by each call's ending.
    """
    endings: list[Ending] = []
    plan = {"origin": target.stack.url, "path": target.path, "headers": target.headers(), "callers": callers}
    process = subprocess.Popen(
        ["nice", "-n", "19", sys.executable, "-m", "tests.e2e.trouble"],  # other machines, as its server is
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps({**plan, "message": message}) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "sent\n"
        reader = threading.Thread(target=_collect, args=(process.stdout, endings), daemon=True)
        reader.start()
        yield endings
    finally:
        process.kill()
        process.wait(10)
        reader.join(10)
        process.stdin.close()
        process.stdout.close()


def _collect(lines: IO[str], endings: list[Ending]) -> None:
    for line in lines:
        if line.endswith("\n"):
            found = json.loads(line)
            endings.append(Ending(**{**found, "start": found["start"].encode("latin-1")}))


async def _everyone() -> None:
    plan = json.loads(sys.stdin.readline())
    callers = [asyncio.create_task(_go_on(plan)) for _ in range(plan["callers"])]
    await asyncio.sleep(0)
    print("sent", flush=True)
    await asyncio.gather(*callers)


async def _go_on(plan: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, **plan["message"]}).encode()
    while True:
        connection = Connection(plan["origin"], deadline_s=60)
        try:
            ending = await _once(connection, plan, body)
        except (BrokenOffError, OSError, TimeoutError):
            ending = Ending(0, 0, whole=False, start=b"")
        connection.close()
        print(json.dumps({**asdict(ending), "start": ending.start.decode("latin-1")}), flush=True)
        await asyncio.sleep(PAUSE_S)


async def _once(connection: Connection, plan: dict[str, Any], body: bytes) -> Ending:
    await connection.send("POST", plan["path"], plan["headers"], body)
    start, size = b"", 0
    try:
        async for piece in connection.pieces():
            size += len(piece)
            start += piece[: KEPT - len(start)]
    except BrokenOffError:
        return Ending(connection.status, size, whole=False, start=start)
    return Ending(connection.status, size, whole=True, start=start)


def call_of(tool: str, **arguments: object) -> dict[str, Any]:
    """A tool call's members."""
    return {"method": "tools/call", "params": {"name": tool, "arguments": arguments}}


LIST: dict[str, Any] = {"method": "tools/list", "params": {}}

if __name__ == "__main__":
    asyncio.run(_everyone())
