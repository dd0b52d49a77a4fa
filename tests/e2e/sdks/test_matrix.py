"""Clients of the official SDKs, each at a server of each, through the gateway."""

import pytest

from tests.e2e.sdks.conftest import Visits
from tests.e2e.sdks.programs import (
    CLIENTS,
    EXACT_CLIENTS,
    EXACT_SERVERS,
    SERVERS,
    WITHOUT_SESSIONS,
    missing,
    modern,
)
from tests.e2e.sdks.visit import TOOLS, Visit
from tests.e2e.stack import until

pytestmark = pytest.mark.e2e
PAIRS = [(client, server) for server in SERVERS for client in CLIENTS]
MODERN = [pair for pair in PAIRS if modern(*pair)]
SESSIONS = [pair for pair in PAIRS if not modern(*pair) and pair[1] not in WITHOUT_SESSIONS]
EXACT = [pair for pair in PAIRS if pair[0] in EXACT_CLIENTS and pair[1] in EXACT_SERVERS]


@pytest.fixture
def visit(request: pytest.FixtureRequest, visits: Visits) -> Visit:
    client, server = request.param
    if lack := missing(client) or missing(server):
        pytest.skip(lack)
    return visits[client][server]


def each(pairs: list[tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("visit", pairs, indirect=True, ids="-at-".join)


@pytest.mark.parametrize("client", CLIENTS)
def test_one_client_process_finds_the_era_of_each_server_of_one_origin(client: str, visits: Visits) -> None:
    if lack := missing(client):
        pytest.skip(lack)
    for server, visit in visits[client].items():
        assert visit.saw["version"] == ("2026-07-28" if modern(client, server) else "2025-11-25"), server


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


@each(EXACT)
def test_integers_that_both_ends_keep_stay_exact(visit: Visit) -> None:
    assert visit.saw["large"] == "9007199254740995"


@each(MODERN)
def test_a_call_that_needs_an_answer_of_the_user_is_repeated_with_it(visit: Visit) -> None:
    assert visit.saw["asked"] == "hello Ada"
    assert [call for call in visit.audited("tools/call") if call[0] == "ask"] == [("ask", "allow", 200)] * 2


@each(SESSIONS)
def test_a_server_asks_the_user_in_the_middle_of_a_call(visit: Visit) -> None:
    assert visit.saw["asked"] == "hello Ada"
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
