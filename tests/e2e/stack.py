"""A whole Gatepost as a user starts it, and the few things that tests ask of it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx2

from app.core.settings import PREFIX, Settings, load_settings

CHECKOUT = Path(__file__).parents[2]
ALL = ["*"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float = 20, what: str = "it") -> None:
    """Poll until `condition` is true; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.02)


@dataclass
class Stack:
    """`gatepost up --detach` in a folder of its own."""

    database: ClassVar[Callable[[], dict[str, str]]] = dict
    """Gives the variables of a new database; none for SQLite."""

    folder: Path
    url: str
    environ: Mapping[str, str]

    @classmethod
    def start(cls, folder: Path, **settings: str) -> "Stack":
        port = int(settings.get("GATEPOST_GATEWAY_PORT") or free_port())
        scheme = "https" if "GATEPOST_TLS_CERTIFICATE_FILE" in settings else "http"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
        environ = {
            **inherited,
            "PYTHONPATH": str(CHECKOUT),
            "GATEPOST_GATEWAY_PORT": str(port),
            "GATEPOST_GATEWAY_WORKERS": "1",
            **cls.database(),
            **settings,
        }
        stack = cls(folder, f"{scheme}://127.0.0.1:{port}", environ)
        stack.command("up", "--detach")
        return stack

    def command(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "app.cli", *arguments],
            cwd=self.folder,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == expect, f"gatepost {' '.join(arguments)}: {done.stdout}\n{done.stderr}"
        return done

    def file(self, *parts: str) -> Path:
        return self.folder.joinpath(".gatepost", *parts)

    @property
    def settings(self) -> Settings:
        """Those that name the store."""
        given = {name: value for name, value in self.environ.items() if name.startswith(PREFIX)}
        return load_settings({**given, f"{PREFIX}STATE_DIR": str(self.file())})

    def pid(self, process: str) -> int:
        return int(json.loads(self.command("status", "--json").stdout)["processes"][process]["pid"])

    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file("logs", "audit.jsonl").read_text().splitlines()]

    def api(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        expect: int | None = None,
        if_match: str | None = None,
        timeout: float = 20,
    ) -> httpx2.Response:
        """One request as the local administrator, or with `token`."""
        bearer = token or self.file("secrets", "cli_token").read_text().strip()
        answer = httpx2.request(
            method,
            self.url + path,
            json=body,
            timeout=timeout,
            verify=False,
            headers={"Authorization": f"Bearer {bearer}", **({"If-Match": if_match} if if_match else {})},
        )
        assert expect in (None, answer.status_code), f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def register(
        self,
        slug: str,
        url: str,
        *,
        bearer: str | None = None,
        transport: str = "streamable-http",
        **ours: object,
    ) -> None:
        self.api(
            "POST",
            "/api/servers",
            {
                "name": f"test.gatepost/{slug}",
                "description": "for a test",
                "version": "1.0.0",
                "remotes": [{"type": transport, "url": url}],
                "_meta": {"dev.gatepost/server": {"slug": slug, **ours}},
            },
            expect=201,
        )
        if bearer:
            self.api("PUT", f"/api/servers/{slug}/credential", {"bearer": bearer}, expect=204)

    def scope(
        self,
        name: str,
        slug: str,
        *,
        tools: list[str] | None = None,
        methods: list[str] | None = None,
        resources: list[str] | None = None,
        prompts: list[str] | None = None,
    ) -> None:
        """A scope for administrators; a token narrowed to it reaches just what it names."""
        self.api(
            "POST",
            "/api/scopes",
            {
                "name": name,
                "groups": ["admins"],
                "servers": [
                    {
                        "server": slug,
                        "methods": methods or ALL,
                        "tools": ALL if tools is None else tools,
                        "resources": ALL if resources is None else resources,
                        "prompts": ALL if prompts is None else prompts,
                    }
                ],
            },
            expect=201,
        )

    def token(self, *scopes: str) -> str:
        """A new personal access token, narrowed to those scopes where any are named."""
        body = {"name": "test", **({"scopes": list(scopes)} if scopes else {})}
        return str(self.api("POST", "/api/tokens", body, expect=201).json()["value"])

    def stop(self) -> None:
        self.command("down")
