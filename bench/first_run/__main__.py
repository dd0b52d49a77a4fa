"""From the command to a working login, on a fresh clone; and from a second `up` to the first answered call.

    python -m bench.first_run [--json]

The packages are installed before the clock starts (`./gatepost version`): their download is the network's
time. Baseline is the command line alone (`./gatepost version` again): what no `up` can go below.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

CHECKOUT = Path(__file__).parents[2]
LOGIN_BAR_S, CALL_BAR_S = 30.0, 10.0
PING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


class Clone:
    """A fresh clone in an empty folder, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(folder)], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.port}"

    def __call__(self, *arguments: str) -> float:
        """Run `./gatepost …`; gives the seconds it took."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
        began = time.monotonic()
        subprocess.run(
            ["./gatepost", *arguments],
            cwd=self.folder,
            env={**environ, "GATEPOST_GATEWAY_PORT": str(self.port)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.monotonic() - began

    def login_works(self) -> None:
        answer = httpx2.get(f"{self.url}/login")
        assert answer.status_code == 200, f"/login answered {answer.status_code}"

    def call_works(self) -> None:
        token = (self.folder / ".gatepost" / "secrets" / "cli_token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
        answer = httpx2.post(f"{self.url}/mcp/registry", json=PING, headers=headers).json()
        assert "result" in answer, f"the call was answered {answer}"


@contextmanager
def fresh_clone() -> Iterator[Clone]:
    with tempfile.TemporaryDirectory(prefix="gatepost-first-run-") as folder:
        clone = Clone(Path(folder) / "gatepost")
        try:
            yield clone
        finally:
            if (clone.folder / ".venv").is_dir():
                clone("down")


def main() -> int:
    """Measure, print, judge; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.first_run")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    with fresh_clone() as clone:
        packages = clone("version")
        baseline = clone("version")
        first = clone("up", "--detach")
        clone.login_works()
        clone("down")
        began = time.monotonic()
        clone("up", "--detach")
        clone.call_works()
        second = time.monotonic() - began
    if not options.json:
        print(f"packages from the local cache or the network  {packages:6.2f} s  (not counted)")
        print(f"the command line alone                        {baseline:6.2f} s  (baseline)")
        print(f"first up to a working login                   {first:6.2f} s  (bar {LOGIN_BAR_S:.0f})")
        print(f"second up to the first answered call          {second:6.2f} s  (bar {CALL_BAR_S:.0f})")
    ok = first <= LOGIN_BAR_S and second <= CALL_BAR_S
    line = {
        "bench": "first_run",
        "ours": round(first, 2),
        "baseline": round(baseline, 2),
        "ratio": round(first / baseline, 2),
        "bar": LOGIN_BAR_S,
        "second_up_to_call_s": round(second, 2),
        "second_bar": CALL_BAR_S,
        "ok": ok,
    }
    print(json.dumps(line))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
