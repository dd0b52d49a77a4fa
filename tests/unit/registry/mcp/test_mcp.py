import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ToolAnnotations

from app.core.models import ServerEntry, ToolRecord
from app.registry.mcp.endpoint import PATH
from tests.unit.registry.conftest import World
from tests.unit.registry.search.samples import server, tool

pytestmark = pytest.mark.anyio
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
USER = ["clerks"]


@pytest.fixture
async def stocked(world: World) -> World:
    """A registry with a callable ledger, a server out of the callers' sight, and one that is stdio only."""
    await _put(
        world,
        server("ledger", "The ledger", "Accounts and balances"),
        [tool("ledger", "get_balance", "Read")],
    )
    await _put(world, server("secret"), [tool("secret", "get_balance_of_others")])
    await _put(world, server("files", stdio_only=True), [])
    await world.looked_at(
        {
            "server": "ledger",
            "state": "unreachable",
            "reason": "timed out",
            "checked_at": "2026-11-01T10:00:00+00:00",
        }
    )
    everything = {"methods": ["*"], "tools": ["*"]}
    await world.scope("clerks", USER, servers=[{"server": slug} | everything for slug in ("ledger", "files")])
    return world


@ERAS
async def test_the_tools_say_what_they_need_and_what_comes_back(stocked: World, mode: str) -> None:
    async with connected(stocked, mode) as client:
        listed = (await client.list_tools()).tools
    assert [one.name for one in listed] == ["find_tools", "list_servers", "server_status"]
    for one in listed:
        assert one.description
        assert one.output_schema
        assert one.annotations == ToolAnnotations(
            read_only_hint=True, idempotent_hint=True, open_world_hint=False
        )
        assert "ctx" not in json.dumps(one.input_schema)


async def test_each_era_is_spoken_as_itself(stocked: World) -> None:
    versions = []
    for mode in ("auto", "legacy"):
        async with connected(stocked, mode) as client:
            versions.append(client.protocol_version)
    assert versions == ["2026-07-28", "2025-11-25"]


@ERAS
async def test_a_tool_is_found_with_the_address_to_call_it_at(stocked: World, mode: str) -> None:
    found = await call(stocked, mode, "find_tools", query="balance of an account")
    assert found["mode"] == "keyword"
    assert [(hit["tool"], hit["server"], hit["mcp_url"], hit["refusal"]) for hit in found["tools"]] == [
        ("get_balance", "ledger", "http://127.0.0.1:8080/mcp/ledger", None)
    ]


@ERAS
async def test_servers_are_listed_with_their_state_and_why_one_is_not_callable(
    stocked: World, mode: str
) -> None:
    listed = (await call(stocked, mode, "list_servers"))["servers"]
    assert [(one["server"], one["state"], one["tools"], one["mcp_url"]) for one in listed] == [
        ("files", "unknown", 0, None),
        ("ledger", "unreachable", 1, "http://127.0.0.1:8080/mcp/ledger"),
    ]
    assert "stdio only" in listed[0]["refusal"]


@ERAS
async def test_a_servers_status_says_what_the_last_check_found(stocked: World, mode: str) -> None:
    status = await call(stocked, mode, "server_status", server="ledger")
    assert (status["state"], status["reason"], status["tools"]) == (
        "unreachable",
        "timed out",
        ["get_balance"],
    )
    assert status["checked_at"] == "2026-11-01T10:00:00+00:00"


@ERAS
async def test_a_server_out_of_sight_answers_as_one_that_is_not_there(stocked: World, mode: str) -> None:
    async with connected(stocked, mode) as client:
        answers = [await client.call_tool("server_status", {"server": slug}) for slug in ("secret", "absent")]
    texts = [answer.content[0].text for answer in answers]  # type: ignore[union-attr]
    assert all(answer.is_error for answer in answers)
    assert texts[0].replace("secret", "absent") == texts[1]
    assert "there is no server 'absent' that you may see" in texts[1]


async def test_nothing_that_fits_is_an_answer_with_advice(stocked: World) -> None:
    found = await call(stocked, "auto", "find_tools", query="sourdough")
    assert found["tools"] == []
    assert "list_servers" in found["note"]


@pytest.mark.parametrize("arguments", [{"query": "  "}, {"query": ""}, {}, {"query": "x", "limit": 0}])
async def test_arguments_that_make_no_sense_are_an_error_that_names_them(
    stocked: World, arguments: dict[str, Any]
) -> None:
    async with connected(stocked, "auto") as client:
        answer = await client.call_tool("find_tools", arguments)
    assert answer.is_error
    assert ("limit" if "limit" in arguments else "query") in answer.content[0].text  # type: ignore[union-attr]


async def test_without_an_identity_nothing_is_answered(stocked: World) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = await stocked.http.post(
        PATH, json=body, headers={"Accept": "application/json, text/event-stream"}
    )
    assert answer.status_code == 401


async def test_the_gateways_host_is_accepted(stocked: World) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = stocked.identity(USER) | {
        "Accept": "application/json, text/event-stream",
        "Host": "mcp.example.com",
    }
    answer = await stocked.http.post(PATH, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_there_is_no_session_to_stream_or_end(stocked: World, method: str) -> None:
    assert (await stocked.http.request(method, PATH, headers=stocked.identity(USER))).status_code == 405


@asynccontextmanager
async def connected(world: World, mode: str) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers=world.identity(USER)) as http:
        url = str(world.http.base_url).rstrip("/") + PATH
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            yield client


async def call(world: World, mode: str, name: str, **arguments: Any) -> dict[str, Any]:
    async with connected(world, mode) as client:
        answer = await client.call_tool(name, arguments)
    assert not answer.is_error, answer.content
    assert answer.structured_content is not None
    return answer.structured_content


async def _put(world: World, entry: ServerEntry, tools: list[ToolRecord]) -> None:
    for record in tools:
        await world.store.put("tools", record.id, record.model_dump(mode="json"))
    await world.store.commit("servers", entry.settings.slug, entry.model_dump(mode="json"))
    await world.looked_at({"server": entry.settings.slug, "state": "unknown"})
