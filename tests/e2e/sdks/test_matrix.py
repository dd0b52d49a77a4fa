"""Clients of the official SDKs, each at a server of each, through the gateway."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.sdks.conftest import TOOLS, Attach
from tests.e2e.sdks.programs import (
    CLIENTS,
    EXACT_CLIENTS,
    EXACT_SERVERS,
    SERVERS,
    WITHOUT_SESSIONS,
    look,
    modern,
    skip_unless_installed,
)
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
PAIRS = [(client, server) for server in SERVERS for client in CLIENTS]
MODERN = [pair for pair in PAIRS if modern(*pair)]
SESSIONS = [pair for pair in PAIRS if not modern(*pair) and pair[1] not in WITHOUT_SESSIONS]


@dataclass(frozen=True)
class Visit:
    """One client that connected, used all that the server has, and closed."""

    saw: dict[str, Any]
    stack: Stack
    token_id: str

    def audited(self, method: str) -> list[tuple[str | None, str, int]]:
        """Tool, decision and status of each of its requests with that method."""
        return [
            (line["tool"], line["decision"], line["status"])
            for line in self.stack.audit()
            if line["client"] == f"token:{self.token_id}" and line["method"] == method
        ]


@pytest.fixture(scope="module")
def visit_of(stack: Stack, attach: Attach) -> Callable[[str, str], Visit]:
    made: dict[tuple[str, str], Visit] = {}

    def visit_of(client: str, server: str) -> Visit:
        skip_unless_installed(client)
        slug = attach(server)
        if (client, server) not in made:
            token = stack.api("POST", "/api/tokens", {"name": client, "scopes": [slug]}, expect=201).json()
            saw = look(client, token["value"], f"{stack.url}/mcp/{slug}")
            made[client, server] = Visit(saw[0], stack, token["id"])
        return made[client, server]

    return visit_of


@pytest.fixture
def visit(request: pytest.FixtureRequest, visit_of: Callable[[str, str], Visit]) -> Visit:
    return visit_of(*request.param)


def each(pairs: list[tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("visit", pairs, indirect=True, ids="-at-".join)


@each(PAIRS)
def test_only_what_a_scope_allows_is_listed(visit: Visit) -> None:
    assert sorted(visit.saw["tools"]) == sorted(TOOLS)
    assert (visit.saw["prompts"], visit.saw["resources"]) == (["greeting"], ["note://today"])


@each(PAIRS)
def test_calls_prompts_and_resources_pass(visit: Visit) -> None:
    assert (visit.saw["sum"], visit.saw["failed"]) == ("5", True)
    assert (visit.saw["prompt"], visit.saw["resource"]) == ("Say hello to Ada.", "nothing special")


@each(PAIRS)
def test_progress_passes(visit: Visit) -> None:
    assert (visit.saw["progress"], visit.saw["ticks"]) == ([1, 2, 3], "done")


@each(PAIRS)
def test_a_refused_call_says_why_and_the_session_goes_on(visit: Visit) -> None:
    assert "no scope of yours allows tools/call of the tool" in visit.saw["refused"]
    assert visit.saw["sum_after"] == "2"
    assert ("secret_note", "deny") in [call[:2] for call in visit.audited("tools/call")]


@each([pair for pair in PAIRS if pair[0] in EXACT_CLIENTS and pair[1] in EXACT_SERVERS])
def test_integers_that_both_ends_keep_stay_exact(visit: Visit) -> None:
    assert visit.saw["large"] == "9007199254740995"


@each(MODERN)
def test_a_call_that_needs_an_answer_of_the_user_is_repeated_with_it(visit: Visit) -> None:
    assert (visit.saw["version"], visit.saw["asked"]) == ("2026-07-28", "hello Ada")
    assert [call for call in visit.audited("tools/call") if call[0] == "ask"] == [("ask", "allow", 200)] * 2


@each(SESSIONS)
def test_a_server_asks_the_user_in_the_middle_of_a_call(visit: Visit) -> None:
    assert (visit.saw["version"], visit.saw["asked"]) == ("2025-11-25", "hello Ada")
    assert visit.audited("response") == [(None, "allow", 202)]


@each(SESSIONS)
def test_a_call_whose_stream_broke_off_is_resumed(visit: Visit) -> None:
    assert visit.saw["interrupted"] == "done"
    own_and_resumed = [(None, "allow", 200)] * 2
    until(lambda: visit.audited("GET") == own_and_resumed, what="the end of the session's streams")


@each(SESSIONS)
def test_the_end_of_a_session_reaches_the_server(visit: Visit) -> None:
    until(lambda: visit.audited("DELETE"), what="the session's end")
    assert [line[1] for line in visit.audited("DELETE")] == ["allow"]
    assert visit.audited("DELETE")[0][2] in {200, 202, 204}
