import os
import signal

import pytest

from tests.e2e.a2a.agent import running
from tests.e2e.a2a.conftest import Attached, register, scope
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
CARD = "/.well-known/agent-card.json"
MESSAGE = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "hello"}]}}


def test_without_the_registry_calls_go_on_and_cards_come_back_with_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    stack = Stack.start(tmp_path_factory.mktemp("agents-registry"))
    try:
        with running() as agent:
            register(stack, "steady", agent)
            attached = Attached(stack, agent, "steady", scope(stack, "steady", "steady", "*"))
            assert attached.send("GET", CARD).status_code == 200
            os.kill(stack.pid("registry"), signal.SIGKILL)
            until(lambda: attached.send("GET", CARD).status_code == 503)
            error = attached.rpc("GetExtendedAgentCard", {})["error"]
            assert error["data"] == {"layer": "gateway", "rule": "unavailable"}
            assert "result" in attached.rpc("SendMessage", MESSAGE)
            until(lambda: attached.send("GET", CARD).status_code == 200)
    finally:
        stack.stop()
