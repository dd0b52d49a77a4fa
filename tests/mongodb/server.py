"""The MongoDB server of the tests: FerretDB in a process of its own."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.e2e.stack import free_port

INSTALL = "no FerretDB: tests/mongodb/install builds it, with Go, and prints its path for FERRETDB"
DEADLINE_S = 30.0


@dataclass
class MongoServer:
    """A server on a loopback port that keeps its data in a folder, so that it can be killed and come back.

    `options` are those of `tests/mongodb/server/main.go`, `reach` the options of a URI that reaches it.
    """

    state: Path
    options: Sequence[str] = ()
    reach: str = ""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return self.database("")

    def database(self, name: str) -> str:
        """The URI of one of its databases."""
        return f"mongodb://127.0.0.1:{self.port}/{name}{self.reach}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.state.mkdir(parents=True, exist_ok=True)
        log = (self.state / "log").open("ab")
        command = [os.environ["FERRETDB"], "--listen", f"127.0.0.1:{self.port}", "--state", str(self.state)]
        if record := os.environ.get("MONGODB_RECORD"):
            command += ["--record", record]
        self._process = subprocess.Popen([*command, *self.options], stdout=log, stderr=log)
        log.close()
        end = time.monotonic() + DEADLINE_S
        while not self._answers():
            assert self._process.poll() is None, (self.state / "log").read_text()[-2000:]
            assert time.monotonic() < end, "the database did not answer in time"
            time.sleep(0.05)

    def kill(self) -> None:
        """As by a crash."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=20)

    def _answers(self) -> bool:
        try:
            with MongoClient[dict[str, object]](self.uri, serverSelectionTimeoutMS=500) as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True
