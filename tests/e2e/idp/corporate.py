"""A Gatepost whose people are in Keycloak's realm `corp`, with a server that they use."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx2

from app.core.store import open_store
from app.core.tokens import TokenStore
from tests.e2e.idp.keycloak import Keycloak
from tests.e2e.servers import serving, tools_server
from tests.e2e.stack import Stack

PROVIDER = "corp"
SAML_PROVIDER = "corp-saml"
SLUG = "tools"
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
}


@dataclass(frozen=True)
class Corporate:
    """`fin-team` may `add`, by the scope `adding`, and count by `counting`; `mcp-admins` are administrators.

    `secret_note` is reached by nobody else, and only by the scope `notes` of administrators.
    """

    stack: Stack
    keycloak: Keycloak

    @classmethod
    @contextlib.contextmanager
    def running(cls, folder: Path, keycloak: Keycloak, **settings: str) -> Iterator["Corporate"]:
        providers = [
            {"type": "local"},
            keycloak.provider(PROVIDER, folder / "keycloak-secret", label="Corp"),
            {
                "type": "saml",
                "name": SAML_PROVIDER,
                "label": "Corp SAML",
                "metadata_url": keycloak.saml_metadata,
                "claims": {"subject": ["NameID"], "groups": ["groups"], "mail": ["email"]},
            },
        ]
        stack = Stack.start(folder, GATEPOST_IDENTITY_PROVIDERS=json.dumps(providers), **settings)
        try:
            keycloak.admit(stack.url)
            keycloak.admit_saml(stack.url, SAML_PROVIDER)
            with serving(tools_server().streamable_http_app()) as origin:
                made = cls(stack, keycloak)
                made._arrange(f"{origin}/mcp")
                yield made
        finally:
            stack.stop()

    @property
    def server_url(self) -> str:
        return f"{self.stack.url}/mcp/{SLUG}"

    def outcome(self, token: str, tool: str = "add") -> str:
        """What one call with that token comes to: "ran", or the error's message."""
        params = {"name": tool, "arguments": {"a": 2, "b": 3, "count": 1}, "_meta": META}
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        answer = httpx2.post(self.server_url, json=message, headers=headers, timeout=20)
        found = answer.text if answer.headers["Content-Type"].startswith("text/") else answer.json()
        return "ran" if "result" in found else str(found["error"]["message"])

    def personal_token(self, name: str) -> str:
        """A personal token of somebody of the realm who has logged in by OpenID Connect."""

        async def make() -> str:
            store = await open_store(self.stack.settings)
            try:
                people = (
                    await store.list("people", {"mail": f"{name}@corp.example", "provider": PROVIDER})
                ).items
                return (await TokenStore(store).create("test", people[0].id, None, None))[1]
            finally:
                await store.close()

        # The browser's own event loop runs in this thread.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(make())).result()

    def _arrange(self, upstream: str) -> None:
        self.stack.register(SLUG, upstream)
        for provider in (PROVIDER, SAML_PROVIDER):
            self.stack.api(
                "PUT",
                f"/api/group-mappings/{provider}?group=mcp-admins",
                {"groups": ["admins"]},
                expect=200,
            )
        self._scope("adding", "fin-team", ["add"])
        self._scope("counting", "fin-team", ["ticks"])
        self._scope("notes", "admins", ["secret_note"])

    def _scope(self, name: str, group: str, tools: list[str]) -> None:
        methods = ["tools/list", "tools/call"]
        servers = [{"server": SLUG, "methods": methods, "tools": tools, "resources": [], "prompts": []}]
        self.stack.api(
            "POST", "/api/scopes", {"name": name, "groups": [group], "servers": servers}, expect=201
        )
