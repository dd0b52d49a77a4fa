from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from google.protobuf.json_format import MessageToDict

from tests.e2e.a2a.agent import Agent, running
from tests.e2e.stack import Stack

CREDENTIAL = "the-agents-own-secret"


@dataclass
class Attached:
    """An agent at the gateway, and a token for its scope; `url` is its address there."""

    stack: Stack
    agent: Agent
    slug: str
    token: str

    @property
    def url(self) -> str:
        return f"{self.stack.url}/a2a/{self.slug}"

    def send(
        self, method: str, path: str, body: object = None, token: str | None = None, **headers: str
    ) -> httpx2.Response:
        """One plain request at the agent's address."""
        sent = {"Authorization": f"Bearer {token or self.token}", "A2A-Version": "1.0", **headers}
        return httpx2.request(method, self.url + path, json=body, headers=sent, timeout=20)

    def rpc(self, method: str, params: object, token: str | None = None) -> dict[str, Any]:
        """The answer to one JSON-RPC request."""
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        return dict(self.send("POST", "", body, token).json())


def register(stack: Stack, slug: str, agent: Agent, **ours: object) -> None:
    card = MessageToDict(agent.card)
    body = {**card, "_meta": {"dev.gatepost/agent": {"slug": slug, **ours}}}
    stack.api("POST", "/api/agents", body, expect=201)


def scope(stack: Stack, name: str, slug: str, *actions: str) -> str:
    """A scope `agent-<name>` for those actions on the agent; gives a token narrowed to it."""
    name = f"agent-{name}"
    agents = [{"agent": slug, "actions": list(actions)}]
    stack.api("POST", "/api/scopes", {"name": name, "groups": ["admins"], "agents": agents}, expect=201)
    return stack.token(name)


@pytest.fixture(scope="module")
def attached(stack: Stack) -> Iterator[Attached]:
    """An agent of both bindings, with a credential and a scope for all of it."""
    with running() as agent:
        stack.api("POST", "/api/agents", {"url": agent.origin}, expect=201)
        stack.api("PUT", "/api/agents/counter/credential", {"bearer": CREDENTIAL}, expect=204)
        yield Attached(stack, agent, "counter", scope(stack, "counter-all", "counter", "read", "invoke"))
        stack.api("DELETE", "/api/agents/counter", expect=204)
        stack.api("DELETE", "/api/scopes/agent-counter-all", expect=204)
