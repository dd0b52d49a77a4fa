"""At an agent too, a client is told to ask for more scope where that would help, in either binding."""

import pytest

from tests.e2e.a2a.conftest import Attached, scope
from tests.e2e.authorizing import OAuthClient

pytestmark = pytest.mark.e2e
MESSAGE = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "hello"}]}}


@pytest.fixture(scope="module")
def reader(attached: Attached) -> str:
    """The token of a client that its person let read the card alone."""
    name = "agent-step-read"
    scope(attached.stack, "step-read", "counter", "read")
    return str(OAuthClient.register(attached.stack).tokens("/a2a/counter", name)["access_token"])


def test_the_scope_that_would_help_is_named_in_both_bindings(attached: Attached, reader: str) -> None:
    assert attached.send("GET", "/.well-known/agent-card.json", token=reader).status_code == 200
    attached.agent.received.clear()
    rpc = {"jsonrpc": "2.0", "id": 7, "method": "SendMessage", "params": MESSAGE}
    by_rpc = attached.send("POST", "", rpc, reader)
    by_rest = attached.send("POST", "/message:send", MESSAGE, reader)
    assert by_rpc.json()["id"] == 7
    for refused in (by_rpc, by_rest):
        assert refused.status_code == 403
        challenge = refused.headers["WWW-Authenticate"]
        assert 'scope="agent-step-read offline_access agent-counter-all"' in challenge
        assert "/.well-known/oauth-protected-resource/a2a/counter" in challenge
    assert attached.agent.received == []


def test_where_no_scope_would_help_nothing_is_said_of_any(attached: Attached, reader: str) -> None:
    unknown = attached.send("POST", "", {"jsonrpc": "2.0", "id": 7, "method": "Nothing"}, reader)
    assert unknown.json()["error"]["data"]["layer"] in ("policy", "gateway")
    assert "WWW-Authenticate" not in unknown.headers
    personal = attached.send("POST", "/message:send", MESSAGE, attached.stack.token("agent-step-read"))
    assert personal.status_code == 403
    assert "WWW-Authenticate" not in personal.headers
