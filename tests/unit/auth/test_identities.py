import time
from typing import Any

import pytest

from app.core.identity import IDENTITY_HEADER, Identity, issue
from app.core.models import Scope

pytestmark = pytest.mark.anyio


async def put(world: Any, *groups: str) -> Any:
    """Ask for an account of the agent in these groups, as somebody who looks after agents and no more."""
    await world.agent("reporter")
    scope = {
        "name": "keepers",
        "groups": ["keepers"],
        "registry": [{"actions": ["agents:read", "agents:write"]}],
    }
    body = Scope.model_validate(scope).model_dump(mode="json")
    await world.parts.store.commit("scopes", "keepers", body, affects={"*"})
    who = Identity("local:kim", "browser", ["keepers"], None)
    token = issue(world.parts.keys, who, world.parts.settings.public_url, time.time() + 60)
    wanted = {"provider": "corp", "groups": list(groups)}
    headers = {IDENTITY_HEADER: token}
    return await world.public.put("/api/agents/reporter/identity", json=wanted, headers=headers)


async def test_whoever_looks_after_an_agent_gives_its_account_no_group(world: Any) -> None:
    assert (await put(world, "/mcp-admins")).status_code == 403
    assert (await put(world)).status_code == 404, "only the provider is missing"
