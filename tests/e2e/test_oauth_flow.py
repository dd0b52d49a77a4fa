"""OAuth through the real gateway: the SDK's own client, and the conformance suite's checks of the issuer."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app.cli.nginx import find
from bench.conformance import suite
from tests.e2e.by_form import ByForm
from tests.e2e.idp.sdk_client import SdkClient
from tests.e2e.idp.tokens import claims
from tests.e2e.servers import serving, tools_server
from tests.e2e.stack import Stack, free_port, until

pytestmark = pytest.mark.e2e
SUM = {"result": 5}
CHECKS_S = 60


@pytest.fixture(scope="module")
def short_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost whose access tokens live ten seconds, with a server that its administrator may use."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    stack = Stack.start(tmp_path_factory.mktemp("short"), GATEPOST_ACCESS_TOKEN_TTL_S="10")
    try:
        with serving(tools_server().streamable_http_app()) as origin:
            stack.register("tools", f"{origin}/mcp")
            stack.scope("adding", "tools", tools=["add"])
            stack.scope("ticking", "tools", tools=["ticks"])
            yield stack
    finally:
        stack.stop()


def status(stack: Stack, token: str) -> int:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    return httpx2.post(f"{stack.url}/mcp/tools", json=ping, headers=headers).status_code


def test_from_a_url_to_a_call_and_on_when_the_token_has_ended(short_lived: Stack) -> None:
    person = ByForm(short_lived)
    with SdkClient(f"{short_lived.url}/mcp/tools") as client:
        assert client.call("add", {"a": 2, "b": 3}, person) == SUM
        assert "SDK client of a test" in person.pages[0]
        assert client.kept.tokens is not None
        first = client.kept.tokens
        assert claims(first.access_token)["aud"] == f"{short_lived.url}/mcp/tools"
        until(lambda: status(short_lived, first.access_token) == 401, what="its end")
        client.expire()
        assert client.call("add", {"a": 2, "b": 3}) == SUM
        assert client.kept.tokens.refresh_token != first.refresh_token
        assert len(client.asked) == 1


def test_a_person_ends_what_a_client_holds(short_lived: Stack) -> None:
    with SdkClient(f"{short_lived.url}/mcp/tools") as client:
        client.call("add", {"a": 2, "b": 3}, ByForm(short_lived))
        assert client.kept.tokens is not None
        client.expire()
        client.call("add", {"a": 2, "b": 3})
        token = client.kept.tokens.access_token
        grant = claims(token)["gid"]
        assert grant in short_lived.command("grant", "list").stdout
        short_lived.command("grant", "revoke", grant)
        until(lambda: status(short_lived, token) == 401, 2, "the end of the token")
        assert grant not in short_lived.command("grant", "list").stdout


def test_a_client_gets_the_scopes_that_the_person_ticks(short_lived: Stack) -> None:
    with SdkClient(f"{short_lived.url}/mcp/tools") as client:
        client.call("add", {"a": 2, "b": 3}, ByForm(short_lived, ["adding"]))
        assert client.kept.tokens is not None
        assert client.kept.tokens.scope == "adding"


def test_the_conformance_suite_passes_the_authorization_server(short_lived: Stack, tmp_path: Path) -> None:
    program = suite.program()
    if not program:
        pytest.skip("no conformance suite: `tests/run e2e` installs it, with npm")
    port = free_port()
    callback = f"http://127.0.0.1:{port}/callback"
    document = tmp_path / "client.json"
    document.write_text(
        json.dumps(
            {"client_id": "suite", "name": "Suite", "auth_method": "none", "redirect_uris": [callback]}
        )
    )
    short_lived.command("client", "add", str(document))
    command: list[str | Path] = [program, "authorization", "--url", short_lived.url, "--client-id", "suite"]
    command += ["--resource", f"{short_lived.url}/mcp/tools", "-p", str(port), "-o", tmp_path / "results"]
    told = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        giving_up = threading.Timer(CHECKS_S, running.kill)
        giving_up.start()
        assert running.stdout is not None
        for line in running.stdout:
            told += line
            if found := re.search(rf"{re.escape(short_lived.url)}/oauth/authorize\?\S+", line):
                ByForm(short_lived)(found[0])
        giving_up.cancel()
    assert running.returncode == 0, told
    checks = [
        check
        for file in (tmp_path / "results").glob("*/checks.json")
        for check in json.loads(file.read_text())
    ]
    passed = [check["id"] for check in checks if check["status"] == "SUCCESS"]
    assert len(passed) >= 2, told
    assert {check["status"] for check in checks} <= {"SUCCESS", "INFO"}, told
