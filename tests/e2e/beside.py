"""What stands beside a running Gatepost: a second gateway on the same control plane, and another person."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2

from app.cli.nginx import find
from app.core.store import open_store
from app.core.tokens import TokenStore
from tests.e2e.stack import Stack, free_port, until


@contextlib.contextmanager
def second_gateway(stack: Stack, folder: Path, **settings: str) -> Iterator[str]:
    """Another NGINX with the configuration of a machine of its own; gives its origin."""
    environ = settings_of(stack)
    port = free_port()
    environ |= {
        "GATEPOST_GATEWAY_PORT": str(port),
        "GATEPOST_METRICS_PORT": str(free_port()),
        "GATEPOST_AUDIT_FILE": str(folder / "audit.jsonl"),
        "GATEPOST_PUBLIC_URL": stack.url,
        **settings,
    }
    render = [sys.executable, "-P", "-m", "app.cli", "nginx", "render", "--prefix", str(folder)]
    configuration = subprocess.run(
        render, cwd=stack.folder, env=environ, capture_output=True, text=True, check=True
    ).stdout.strip()
    nginx = find()
    assert nginx
    options = ["-e", "stderr", "-p", str(folder), "-c", configuration, "-g", "daemon off;"]
    process = subprocess.Popen([str(nginx.binary), *options])
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _ready(url), what="the second gateway")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def settings_of(stack: Stack) -> dict[str, str]:
    """The environment that `up` gave its processes: the ports that it chose among it."""
    raw = Path(f"/proc/{stack.pid('auth')}/environ").read_bytes().decode()
    return dict(entry.split("=", 1) for entry in raw.split("\0") if entry)


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


def person(stack: Stack, subject: str, *groups: str, scopes: list[str] | None = None) -> str:
    """A token of somebody whom a provider puts in those groups from now on, narrowed to those scopes."""

    async def make() -> str:
        store = await open_store(stack.settings)
        try:
            provider = subject.partition(":")[0]
            body = {"subject": subject, "provider": provider, "name": "", "mail": "", "groups": list(groups)}
            await store.commit("people", subject, body | {"seen_at": 0.0}, affects={f"principal:{subject}"})
            return (await TokenStore(store).create("test", subject, scopes, None))[1]
        finally:
            await store.close()

    return asyncio.run(make())


def token_of_somebody_else(stack: Stack, *scopes: str, subject: str = "local:somebody") -> str:
    """A token of another person with the administrators' rights, narrowed to those scopes."""
    return person(stack, subject, "admins", scopes=list(scopes) or None)
