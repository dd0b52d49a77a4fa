import json
from pathlib import Path

import pytest

from tests.e2e.a2a.agent import running
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


def test_an_agent_is_added_shown_listed_and_removed(stack: Stack, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("a-secret\n")
    with running() as agent:
        added = stack.command("agent", "add", agent.origin, "--slug", "cli", "--bearer-file", str(secret))
    assert added.stdout == "cli\n"
    assert f"{stack.url}/a2a/cli" in added.stderr
    assert "signature 0 names no place of its key" in added.stderr
    shown = json.loads(stack.command("agent", "show", "cli").stdout)
    assert shown["agent"]["name"] == "Counter"
    assert "a-secret" not in str(shown)
    assert "JSONRPC, HTTP+JSON" in stack.command("agent", "list").stdout
    stack.command("agent", "rm", "cli")
    assert "no agent that you may see" in stack.command("agent", "show", "cli", expect=1).stderr
