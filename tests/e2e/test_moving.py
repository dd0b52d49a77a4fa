"""A Gatepost that is used moves from its SQLite file to MongoDB; who uses it notices nothing."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from app.cli.nginx import find
from app.core.store import open_store
from app.core.store.collections import COLLECTIONS
from app.core.store.migrations import SCHEMA_VERSION
from tests.e2e.abuse.logins import log_in, session_of
from tests.e2e.authorizing import OAuthClient
from tests.e2e.by_form import ByForm
from tests.e2e.calling import call
from tests.e2e.idp.sdk_client import SdkClient
from tests.e2e.servers import serving, tools_server
from tests.e2e.shared.conftest import SEALING_KEY
from tests.e2e.stack import Stack
from tests.mongodb.server import INSTALL, MongoServer

pytestmark = pytest.mark.e2e
SAMPLES = Path(__file__).parents[1] / "samples"
PASSWORD = "mU4ikd9RDaYhZlCk"  # of the administrator in the samples


@pytest.fixture
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    if not os.environ.get("FERRETDB"):
        pytest.skip(INSTALL)
    stack = Stack.start(tmp_path_factory.mktemp("moving"))
    with serving(tools_server().streamable_http_app(stateless_http=True, json_response=True)) as origin:
        stack.register("tools", f"{origin}/mcp", bearer="the-upstreams-own")
        stack.scope("adding", "tools", tools=["add"])
        yield stack
    stack.stop()


def answers(stack: Stack) -> dict[str, object]:
    """What the API says, with its ETags, of all that does not change by itself."""
    paths = ["/api/servers", "/api/servers/tools", "/api/scopes", "/api/scopes/adding", "/api/clients"]
    found = [stack.api("GET", path, expect=200) for path in paths]
    return {
        path: (answer.headers.get("ETag"), answer.json()) for path, answer in zip(paths, found, strict=True)
    }


def unknown_collections(stack: Stack) -> set[str]:
    async def read() -> set[str]:
        store = await open_store(stack.settings)
        try:
            return set(await store.collections()) - COLLECTIONS.keys()
        finally:
            await store.close()

    return asyncio.run(read())


def test_who_uses_it_notices_nothing(used: Stack, mongodb_server: MongoServer) -> None:
    token = used.token()
    session = {**session_of(log_in(used)), "Sec-Fetch-Site": "same-origin"}
    OAuthClient.register(used).tokens("/mcp/tools", "adding")
    with SdkClient(f"{used.url}/mcp/tools") as client:
        assert client.call("add", {"a": 2, "b": 3}, ByForm(used)) == {"result": 5}
        before = answers(used)
        used.command("down")
        assert unknown_collections(used) == set()
        used.command("export", "all.jsonl")
        moved = replace(
            used, environ={**used.environ, "GATEPOST_MONGODB_URI": mongodb_server.database("moved")}
        )
        moved.command("import", "all.jsonl")
        assert "not empty" in moved.command("import", "all.jsonl", expect=1).stderr
        used.file("gatepost.db").unlink()
        moved.command("up", "--detach")
        try:
            assert answers(moved) == before
            assert call(moved, "tools", token, "add") == "ran"
            assert httpx2.get(f"{moved.url}/api/me", headers=session).status_code == 200
            client.expire()
            assert client.call("add", {"a": 2, "b": 4}) == {"result": 6}
            assert len(client.asked) == 1
            running = moved.command("import", "all.jsonl", expect=1).stderr
            assert "stop it first" in running
        finally:
            moved.command("down")
    assert not used.file("gatepost.db").exists()


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("version-*.jsonl")), ids=lambda path: path.stem)
@pytest.mark.parametrize("database", [False, True], ids=["sqlite", "mongodb"])
def test_a_kept_sample_of_each_version_is_served(
    sample: Path, database: bool, mongodb_server: MongoServer, tmp_path: Path
) -> None:
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    given = {"GATEPOST_MONGODB_URI": mongodb_server.database(sample.stem)} if database else {}
    environ = {**os.environ, "GATEPOST_SEALING_KEYS": SEALING_KEY, **given}
    Stack(tmp_path, "", environ).command("import", str(sample))
    stack = Stack.start(tmp_path, GATEPOST_SEALING_KEYS=SEALING_KEY, **given)
    try:
        stack.api("GET", "/api/servers/tools", expect=200)
        tools = stack.api("GET", "/api/servers/tools/tools").json()["items"]
        assert {tool["name"]: tool["state"] for tool in tools}["secret_note"] == "blocked"
        stack.file("secrets", "admin_password").write_text(PASSWORD)
        session = session_of(log_in(stack))
        me = httpx2.get(f"{stack.url}/api/me", headers={**session, "Sec-Fetch-Site": "same-origin"}).json()
        assert me["subject"] == "local:admin"
        assert call(stack, "tools", stack.token("adding"), "secret_note") == "blocked"
    finally:
        stack.stop()


def test_there_is_a_sample_of_the_newest_version() -> None:
    newest = max(int(path.stem.removeprefix("version-")) for path in SAMPLES.glob("version-*.jsonl"))
    assert newest == SCHEMA_VERSION
