import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from app.core.identity import IDENTITY_HEADER, Identity, issue
from app.core.keys import SigningKeys
from app.core.models import Scope
from app.core.policy import affected_by_scope
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.store import Store, open_store
from app.registry.app import create_app
from tests.mongodb.fixtures import Variables

DEADLINE_S = 20.0
PROVIDERS = """[{"type": "local"},
  {"type": "oidc", "name": "kc", "issuer": "https://kc.example", "client_id": "gatepost"}]"""
ADMINS = {"name": "admins", "groups": ["admins"], "registry": [{"actions": ["*"], "servers": ["*"]}]}


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application on a free loopback port; the value is its address."""
    # asyncio sends small answers at once (TCP_NODELAY) only where the socket names its protocol.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = _Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1, ws="none")
    )
    task = asyncio.create_task(server.serve([listener]))
    await until(lambda: server.started or task.done())
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Poll until it holds; fail after a deadline."""
    end = time.monotonic() + DEADLINE_S
    while True:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < end, "it did not come to hold in time"
        await asyncio.sleep(0.02)


@dataclass
class World:
    """A real registry on a real store, served over real HTTP, and the keys that auth signs with."""

    app: FastAPI
    settings: Settings
    store: Store
    keys: SigningKeys
    http: httpx2.AsyncClient

    def identity(self, groups: list[str], scopes: list[str] | None = None, **more: Any) -> dict[str, str]:
        """The header with which the gateway names a caller."""
        who = Identity(
            more.get("subject", "local:alice"),
            more.get("client", "test"),
            groups,
            scopes,
            more.get("token_ends"),
        )
        issuer = more.get("issuer", self.settings.public_url)
        expires_at = time.time() + more.get("life", 60)
        return {IDENTITY_HEADER: issue(more.get("keys", self.keys), who, issuer, expires_at)}

    @property
    def admin(self) -> dict[str, str]:
        return self.identity(["admins"])

    async def person(self, subject: str, *groups: str) -> None:
        """Somebody who logged in once, as the auth server records it."""
        provider = subject.partition(":")[0]
        body = {"subject": subject, "provider": provider, "name": "", "mail": "", "groups": list(groups)}
        await self.store.commit("people", subject, {**body, "seen_at": 0.0})

    async def scope(self, name: str, groups: list[str], **grants: Any) -> None:
        scope = Scope.model_validate({"name": name, "groups": groups, **grants})
        affects = affected_by_scope(None, scope)
        await self.store.commit("scopes", name, scope.model_dump(mode="json"), affects=affects)

    async def add(self, slug: str, url: str | None = None, **settings: Any) -> httpx2.Response:
        """Register a server as an administrator and wait for the first look at it."""
        body = document(slug, url, **settings)
        answer = await self.http.post("/api/servers", json=body, headers=self.admin)
        assert answer.status_code == 201, answer.text
        await until(lambda: self._looked_at(slug))
        return answer

    async def looked_at(self, health: dict[str, Any]) -> None:
        """Let this registry know what a look at a server found, its tools being in the store."""
        services = self.app.state.registry
        await services.follower.catch_up()
        await services.follower.discovered(await self.store.put("health", health["server"], health))

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path, headers=self.admin)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def _looked_at(self, slug: str) -> bool:
        return await self.store.get("health", slug) is not None


def document(slug: str, url: str | None = None, **settings: Any) -> dict[str, Any]:
    """A server.json as somebody would post it."""
    return {
        "name": f"com.example/{slug}",
        "description": f"The server {slug}",
        "version": "1.0.0",
        **({"remotes": [{"type": "streamable-http", "url": url}]} if url else {}),
        **({"_meta": {"dev.gatepost/server": settings}} if settings else {}),
    }


@pytest.fixture
async def world(tmp_path: Path, backend: Variables) -> AsyncIterator[World]:
    settings = Settings.from_environ(
        {
            "GATEPOST_STATE_DIR": str(tmp_path),
            "GATEPOST_UPSTREAM_NETWORKS": "127.0.0.0/8",
            "GATEPOST_IDENTITY_PROVIDERS": PROVIDERS,
            **backend,
        }
    )
    store = await open_store(settings)
    sealer = Sealer([secrets.token_bytes(32)])
    keys = await SigningKeys.load(store, sealer)
    app = create_app(settings, store, sealer, keys)
    async with serving(app) as url, httpx2.AsyncClient(base_url=url, timeout=DEADLINE_S) as http:
        made = World(app, settings, store, keys, http)
        await made.scope(**ADMINS)
        await made.person("local:alice", "admins")
        yield made
    await store.close()


@pytest.fixture
async def second(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """Another registry on the same store."""
    store = await open_store(world.settings)
    app = create_app(world.settings, store, world.app.state.registry.sealer, world.keys)
    async with serving(app) as url, httpx2.AsyncClient(base_url=url, timeout=DEADLINE_S) as http:
        yield http
    await store.close()
