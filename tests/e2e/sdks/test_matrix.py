"""Clients of the official SDKs, each at a server of each, through the gateway."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.sdks.conftest import TOOLS, Attach
from tests.e2e.sdks.programs import CLIENTS, SERVERS, look, modern, skip_unless_installed
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
PAIRS = [(client, server) for server in SERVERS for client in CLIENTS]
WITHOUT_SESSIONS = "typescript2"


@dataclass(frozen=True)
class Pair:
    client: str
    server: str
    saw: dict[str, Any]
    stack: Stack
    audit_began: int

    @property
    def modern(self) -> bool:
        return modern(self.client, self.server)

    @property
    def session(self) -> bool:
        return not self.modern and self.server != WITHOUT_SESSIONS

    def audited(self, method: str) -> list[tuple[str | None, str, int]]:
        """Tool, decision and status of each request with that method."""
        lines = self.stack.audit()[self.audit_began :]
        return [(each["tool"], each["decision"], each["status"]) for each in lines if each["method"] == method]


@pytest.fixture(scope="module", params=PAIRS, ids="-at-".join)
def pair(request: pytest.FixtureRequest, stack: Stack, attach: Attach) -> Pair:
    """One client that connected, used all that the server has, and closed."""
    client, server = request.param
    skip_unless_installed(client)
    slug = attach(server)
    began = len(stack.audit())
    saw = look(client, stack.token(slug), f"{stack.url}/mcp/{slug}")
    return Pair(client, server, saw[0], stack, began)


def test_both_agree_on_the_era_that_they_agree_on_without_a_gateway(pair: Pair) -> None:
    assert pair.saw["version"] == ("2026-07-28" if pair.modern else "2025-11-25")


def test_only_what_a_scope_allows_is_listed(pair: Pair) -> None:
    assert pair.saw["tools"] == TOOLS
    assert (pair.saw["prompts"], pair.saw["resources"]) == (["greeting"], ["note://today"])


def test_calls_prompts_and_resources_pass(pair: Pair) -> None:
    assert (pair.saw["sum"], pair.saw["failed"]) == ("5", True)
    assert (pair.saw["prompt"], pair.saw["resource"]) == ("Say hello to Ada.", "nothing special")


def test_progress_passes(pair: Pair) -> None:
    assert (pair.saw["progress"], pair.saw["ticks"]) == ([1, 2, 3], "done")


def test_a_refused_call_says_why_and_the_session_goes_on(pair: Pair) -> None:
    assert "no scope of yours allows tools/call of the tool" in pair.saw["refused"]
    assert pair.saw["sum_after"] == "2"
    assert ("secret_note", "deny", 403 if pair.modern else 200) in pair.audited("tools/call")


def test_a_server_asks_the_user_in_the_middle_of_a_call(pair: Pair) -> None:
    if not pair.modern and not pair.session:
        pytest.skip("a server without sessions has no way to ask a client of the legacy era")
    assert pair.saw["asked"] == "hello Ada"
    asked = [call for call in pair.audited("tools/call") if call[0] == "ask"]
    assert len(asked) == (2 if pair.modern else 1), "modern: the call is repeated with the answer"
    assert pair.audited("response") == ([] if pair.modern else [(None, "allow", 202)])


def test_a_call_whose_stream_broke_off_is_resumed(pair: Pair) -> None:
    assert pair.saw["interrupted"] == "done"
    if pair.session:
        assert (None, "allow", 200) in pair.audited("GET")


def test_large_integers_stay_exact_where_both_ends_keep_them(pair: Pair) -> None:
    if not (pair.client.startswith("python") and pair.server.startswith("python")):
        pytest.skip("JavaScript rounds them")
    assert pair.saw["large"] == "9007199254740995"


def test_the_end_of_a_session_reaches_the_server(pair: Pair) -> None:
    if pair.session:
        until(lambda: pair.audited("DELETE") == [(None, "allow", 200)], what="the session's end")
    else:
        assert pair.audited("DELETE") == []
