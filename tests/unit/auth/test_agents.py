from typing import Any

import pytest

pytestmark = pytest.mark.anyio
RPC = {"url": "http://192.0.2.10/rpc?x=1", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
REST = {
    "url": "http://192.0.2.11:9000/a/",
    "protocolBinding": "HTTP+JSON",
    "protocolVersion": "1.1",
    "tenant": "t",
}
OLD = {"url": "http://192.0.2.12/", "protocolBinding": "JSONRPC", "protocolVersion": "0.3"}


@pytest.fixture
async def auditor(world: Any) -> Any:
    await world.agent("auditor", OLD, RPC, REST, timeout_s=30, total_timeout_s=90, rate_limit=60)
    await world.agent_scope("auditors", ["fin"], "auditor", "read", "invoke", "destroy")
    return world


async def test_a_verdict_says_what_and_where_for_each_binding(auditor: Any) -> None:
    verdict = await auditor.verdict(await auditor.token(["fin"]), "/a2a/auditor")
    assert verdict["caller"]["rights"] == {"invoke": ["*"], "read": ["*"]}
    interfaces = verdict["server"]["interfaces"]
    assert interfaces["JSONRPC"]["upstream"]["target"] == "/rpc?x=1"
    assert interfaces["JSONRPC"]["upstream"]["addresses"] == ["192.0.2.10:80"]
    assert interfaces["HTTP+JSON"]["upstream"]["target"] == "/a"
    assert interfaces["HTTP+JSON"]["upstream"]["read_timeout_ms"] == 30_000
    assert interfaces["JSONRPC"]["upstream"]["total_timeout_ms"] == 90_000
    assert verdict["server"]["limits"]["caller_rate"] == 60
    assert [one["tenant"] for one in interfaces.values()] == ["", "t"]
    assert verdict["server"]["push_notifications"] is False
    assert verdict["server"]["identity"] is False, "the agent itself is told of no caller"
    assert verdict["caller"]["identity"], "the registry is, for its cards"


async def test_a_wildcard_is_both_actions_on_every_agent_and_nothing_on_servers(auditor: Any) -> None:
    await auditor.server("auditor")
    await auditor.agent_scope("all", ["ops"], "*", "*")
    token = await auditor.token(["ops"])
    assert set((await auditor.verdict(token, "/a2a/auditor"))["caller"]["rights"]) == {"read", "invoke"}
    assert (await auditor.verdict(token, "/mcp/auditor"))["server"] is None
    assert (await auditor.verdict(token, "/a2a/nothing"))["caller"]["rights"] == {}


@pytest.mark.parametrize("resource", ["/a2a/auditor", "/a2a/nothing", "/a2a/", "/a2a/../api"])
async def test_without_rights_an_agent_looks_like_one_that_does_not_exist(
    auditor: Any, resource: str
) -> None:
    verdict = await auditor.verdict(await auditor.token(["others"]), resource)
    assert (verdict["server"], verdict["caller"]["rights"]) == (None, {})


async def test_the_credential_is_the_agent_s_and_not_that_of_a_server_of_the_same_slug(auditor: Any) -> None:
    await auditor.server("auditor")
    await auditor.credential("auditor", {"X-Key": "the-servers"})
    await auditor.credential("agent/auditor", {"X-Key": "the-agents"})
    verdict = await auditor.verdict(await auditor.token(["fin"]), "/a2a/auditor")
    assert verdict["server"]["headers"] == {"X-Key": "the-agents"}


@pytest.mark.parametrize(
    ("interfaces", "ours", "refusal"),
    [
        ([RPC], {"enabled": False}, "disabled"),
        ([OLD], {}, "no_interface"),
        ([{**RPC, "url": "http://169.254.169.254/"}], {}, "unresolved"),
    ],
)
async def test_an_agent_that_must_not_be_reached_says_why(
    auditor: Any, interfaces: list[dict[str, str]], ours: dict[str, Any], refusal: str
) -> None:
    await auditor.agent("auditor", *interfaces, **ours)
    part = (await auditor.verdict(await auditor.token(["fin"]), "/a2a/auditor"))["server"]
    assert (part["refusal"], part["interfaces"]) == (refusal, {})
    assert part["refusal_detail"]


async def test_agents_that_were_there_before_the_start_are_known(auditor: Any) -> None:
    auditor.parts.snapshot._number = -1
    verdict = await auditor.verdict(await auditor.token(["fin"]), "/a2a/auditor")
    assert verdict["server"]["slug"] == "auditor"


async def test_the_metadata_of_an_agent_is_the_same_whether_it_exists(auditor: Any) -> None:
    found = [
        (await auditor.public.get(f"/.well-known/oauth-protected-resource/a2a/{slug}")).text
        for slug in ("auditor", "nothing")
    ]
    assert found[0].replace("auditor", "nothing") == found[1]
