"""Clients and servers of the official SDKs, each a process of its own that behaves like the others."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PARTS = Path(os.environ.get("SDKS", "nowhere"))
PYTHON1 = str(PARTS / "python1/bin/python")
GO_CLIENT, GO_SERVER = str(PARTS / "go/client"), str(PARTS / "go/server")
SERVERS = {  # both eras alternate, for clients that visit one after another
    "python": [sys.executable, "python/server.py"],
    "python1": [PYTHON1, "python1/server.py"],
    "typescript1": ["node", "typescript/server1.mjs"],
    "typescript2": ["node", "typescript/server2.mjs"],
    "typescript2-sessions": ["node", "typescript/server2.mjs", "sessions"],
    "go": [GO_SERVER],
    "go-sessions": [GO_SERVER, "sessions"],
}
CLIENTS = {
    "python-auto": [sys.executable, "python/client.py", "auto"],
    "python-legacy": [sys.executable, "python/client.py", "legacy"],
    "python1": [PYTHON1, "python1/client.py"],
    "typescript1": ["node", "typescript/client1.mjs"],
    "typescript2-auto": ["node", "typescript/client2.mjs", "auto"],
    "typescript2-legacy": ["node", "typescript/client2.mjs", "legacy"],
    "go-auto": [GO_CLIENT, "auto"],
    "go-legacy": [GO_CLIENT, "legacy"],
}
BOTH_ERAS = {"python", "typescript2", "go"}
WITHOUT_SESSIONS = {"typescript2", "go"}
# JavaScript rounds integers over 2^53, and so does Go's server.
EXACT_CLIENTS = {"python-auto", "python-legacy", "python1", "go-auto", "go-legacy"}
EXACT_SERVERS = {"python", "python1"}


def modern(client: str, server: str) -> bool:
    """Whether these two agree on the modern era."""
    return client.endswith("-auto") and server in BOTH_ERAS


def missing(name: str) -> str | None:
    """What this client or server needs that is not installed."""
    if name.startswith("typescript") and not (
        shutil.which("node") and PARTS.joinpath("node_modules").exists()
    ):
        return "no TypeScript SDKs: `tests/run e2e` installs them, with npm"
    if name.startswith("go") and not Path(GO_CLIENT).exists():
        return "no Go SDK: `tests/run e2e` builds its programs, with go"
    if name.startswith("python1") and not Path(PYTHON1).exists():
        return "no Python SDK 1.x: `tests/run e2e` installs it"
    return None


@contextlib.contextmanager
def running(name: str, log: Path) -> Iterator[str]:
    """The server of that name; gives the URL that it prints when it listens."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            SERVERS[name], cwd=HERE, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ
        )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, log.read_text()
        yield url
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def look(client: str, token: str, urls: list[str], log: Path) -> tuple[list[dict[str, Any]], str]:
    """What one process of that client saw at each URL up to one that failed, and what it complained of."""
    complaints = log.with_suffix(".err")
    with log.open("w") as output, complaints.open("w") as errors:
        try:
            subprocess.run(
                [*CLIENTS[client], *urls],
                cwd=HERE,
                env={**os.environ, "TOKEN": token},
                stdout=output,
                stderr=errors,
                timeout=90,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            errors.write(str(error))
    return [json.loads(line) for line in log.read_text().splitlines()], complaints.read_text()
