import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher

from app.auth.applications import internal_application, public_application
from app.auth.parts import Parts, assemble
from app.auth.providers.base import Person
from app.auth.startup import prepare
from app.core.models import Scope
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.store import open_store
from app.core.tokens import TokenStore
from tests.mongodb.fixtures import Variables

SECRET = "the-gateways-own"
PASSWORD = "correct horse"
NOW = "2026-01-01T00:00:00Z"


@dataclass
class World:
    """A real auth server on a real store, and what a registry would write beside it."""

    parts: Parts
    public: httpx2.AsyncClient
    internal: httpx2.AsyncClient

    async def server(
        self, slug: str, url: str | None = "http://192.0.2.10:9000/mcp?x=1", **settings: Any
    ) -> None:
        remotes = [{"type": "streamable-http", "url": url}] if url else []
        body = {
            "document": {"name": f"test/{slug}", "remotes": remotes},
            "settings": {"slug": slug, **settings},
            "created_at": NOW,
            "updated_at": NOW,
        }
        await self.parts.store.commit("servers", slug, body, affects={f"/mcp/{slug}"})

    async def scope(self, name: str, groups: list[str], server: str, tools: list[str]) -> None:
        grant = {"server": server, "methods": ["tools/list", "tools/call"], "tools": tools}
        scope = Scope.model_validate({"name": name, "groups": groups, "servers": [grant]})
        await self.parts.store.commit(
            "scopes", name, scope.model_dump(mode="json"), affects={f"/mcp/{server}"}
        )

    async def agent(self, slug: str, *interfaces: dict[str, str], **settings: Any) -> None:
        body = {
            "card": {"supportedInterfaces": interfaces},
            "settings": {"slug": slug, **settings},
            "created_at": NOW,
            "updated_at": NOW,
        }
        await self.parts.store.commit("agents", slug, body, affects={f"/a2a/{slug}"})

    async def agent_scope(self, name: str, groups: list[str], agent: str, *actions: str) -> None:
        grants = [{"agent": agent, "actions": list(actions)}]
        scope = Scope.model_validate({"name": name, "groups": groups, "agents": grants})
        await self.parts.store.commit(
            "scopes", name, scope.model_dump(mode="json"), affects={f"/a2a/{agent}"}
        )

    async def tool(self, slug: str, name: str, state: str, kind: str = "tool") -> None:
        body = {"server": slug, "kind": kind, "name": name, "definition": {}, "hash": "h", "state": state}
        await self.parts.store.commit("tools", f"{slug}/{kind}/{name}", body, affects={f"/mcp/{slug}"})

    async def credential(self, slug: str, headers: dict[str, str]) -> None:
        plain = json.dumps({"headers": headers}).encode()
        sealed = Sealer.from_settings(self.parts.settings).seal(plain, f"credential/{slug}")
        await self.parts.store.commit("credentials", slug, {"sealed": sealed}, affects={f"/mcp/{slug}"})

    async def token(self, groups: list[str], scopes: list[str] | None = None, **more: Any) -> str:
        """A token of Alice, who is in these groups from now on."""
        await self.parts.people.record(Person("local:alice", "local", groups))
        made = await TokenStore(self.parts.store).create(
            "test", "local:alice", scopes, more.get("expires_at")
        )
        return made[1]

    async def ask(self, token: str, resource: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.internal.get("/internal/verdict", params={"resource": resource}, headers=headers)

    async def verdict(self, token: str, resource: str) -> dict[str, Any]:
        answer = await self.ask(token, resource)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def log_in(self, **fields: str) -> httpx2.Response:
        form = {"username": "admin", "password": PASSWORD, **fields}
        return await self.public.post("/login", data=form, headers={"Origin": self.parts.settings.public_url})


def settings_for(state: Path, **more: str) -> Settings:
    return Settings.from_environ(
        {
            "GATEPOST_STATE_DIR": str(state),
            "GATEPOST_GATEWAY_SECRET": SECRET,
            "GATEPOST_SEALING_KEYS": base64.b64encode(bytes(32)).decode(),
            "GATEPOST_ADMIN_PASSWORD": PASSWORD,
            "GATEPOST_UPSTREAM_NETWORKS": "192.0.2.0/24,127.0.0.0/8",
            **more,
        }
    )


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr("app.auth.providers.local._hasher", cheap)


@pytest.fixture
def settings(tmp_path: Path, backend: Variables) -> Settings:
    return settings_for(tmp_path, **backend)


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    store = await open_store(settings)
    await prepare(settings, store)
    parts = await assemble(settings, store)
    public = httpx2.ASGITransport(app=public_application(parts))
    internal = httpx2.ASGITransport(app=internal_application(parts))
    async with (
        httpx2.AsyncClient(transport=public, base_url=settings.public_url) as outside,
        httpx2.AsyncClient(
            transport=internal, base_url="http://auth", headers={"Gatepost-Gateway-Secret": SECRET}
        ) as inside,
    ):
        yield World(parts, outside, inside)
    await parts.background.finish()
    await store.close()
