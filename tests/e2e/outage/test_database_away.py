"""The database stops for half a minute under load, and comes back."""

import os
import time
from collections.abc import Iterator

import httpx2
import pytest

from app.cli.nginx import find
from tests.e2e.abuse.logins import log_in, session_of
from tests.e2e.calling import call, callers
from tests.e2e.faults.conftest import ready
from tests.e2e.faults.processes import pid_of
from tests.e2e.servers import serving, tools_server
from tests.e2e.shared.test_a_host_that_dies import scopes, writing
from tests.e2e.stack import Stack, until
from tests.mongodb.server import INSTALL, MongoServer

pytestmark = pytest.mark.e2e
AWAY_S = 30
PATIENCE_S = 30.0  # for one answer; without a bound they would wait for as long as the database is away
NAMES = ("auth", "registry", "gateway", "audit")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    if not os.environ.get("FERRETDB"):
        pytest.skip(INSTALL)
    server = MongoServer(tmp_path_factory.mktemp("database"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def own(database: MongoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(tmp_path_factory.mktemp("outage"), GATEPOST_MONGODB_URI=database.database("gatepost"))
    with serving(tools_server().streamable_http_app(stateless_http=True, json_response=True)) as origin:
        here.register("tools", f"{origin}/mcp")
        here.scope("adding", "tools", tools=["add"])
        yield here
    here.stop()


def shipped(stack: Stack) -> set[str]:
    """The ids of the calls of `add` that are in the store."""
    found: set[str] = set()
    cursor = ""
    while True:
        page = stack.api("GET", f"/api/audit?limit=1000&tool=add{cursor}", expect=200).json()
        found |= {event["request_id"] for event in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_what_is_known_goes_on_writes_are_told_to_wait_and_all_comes_back_by_itself(
    own: Stack, database: MongoServer
) -> None:
    token, unknown = own.token(), own.token()
    session = {**session_of(log_in(own)), "Sec-Fetch-Site": "same-origin"}
    assert call(own, "tools", token, "add") == "ran"
    pids = [pid_of(own, name) for name in NAMES]
    with callers(own, "tools", token, tool="add") as failures, writing(own, "outage") as written:
        written.goes_on()
        database.kill()
        back = time.monotonic() + AWAY_S
        answer = own.api("POST", "/api/scopes", {"name": "vain", "groups": []}, timeout=PATIENCE_S)
        # The registry's own refusal, or the gateway's where a change has just ended the caller's verdict.
        assert (answer.status_code, answer.json()["type"].endswith("unavailable")) == (503, True)
        assert int(answer.headers["Retry-After"]) > 0
        assert "mongodb://" not in answer.text
        for path, headers in {
            "/mcp/tools": {"Authorization": f"Bearer {unknown}"},
            "/api/me": session,
            "/readyz": {},
        }.items():
            away = httpx2.request(
                "POST" if path.startswith("/mcp") else "GET",
                own.url + path,
                json={"jsonrpc": "2.0", "id": 1, "method": "ping"},
                headers=headers,
                timeout=PATIENCE_S,
            )
            assert away.status_code == 503, (path, away.text)
        assert httpx2.get(f"{own.url}/healthz", timeout=PATIENCE_S).status_code == 200
        until(lambda: time.monotonic() > back, AWAY_S + 60)
        database.start()
        until(lambda: ready(own), 20, "readiness")
        written.goes_on()
    assert failures == []
    assert set(written.failed) <= {"503"}
    assert set(written.names) <= set(scopes(own))
    assert [pid_of(own, name) for name in NAMES] == pids
    assert httpx2.get(f"{own.url}/api/me", headers=session).status_code == 200
    assert call(own, "tools", unknown, "add") == "ran"
    lines = {line["request_id"] for line in own.audit() if line.get("tool") == "add"}
    until(lambda: lines <= shipped(own), 90, "the audit log's lines")


def test_a_start_without_the_database_says_what_is_wrong_and_what_to_do(
    database: MongoServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stack = Stack(
        tmp_path_factory.mktemp("without"),
        "",
        {**os.environ, "GATEPOST_MONGODB_URI": "mongodb://someone:hush@127.0.0.1:1/x"},
    )
    said = stack.command("up", "--detach", expect=1).stderr
    assert "127.0.0.1:1 cannot be used" in said
    assert "GATEPOST_MONGODB_URI" in said
    assert "hush" not in said
