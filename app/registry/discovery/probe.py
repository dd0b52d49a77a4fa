"""One look at an MCP server by the official client: who it is and all it offers."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from app import __version__
from app.core.models import ToolKind, Transport
from app.core.settings import Settings
from app.core.ssrf import guarded_transport
from app.registry.discovery.failures import Failure, describe
from app.registry.discovery.limits import DEADLINE_S, MAX_BYTES, BoundedStream
from app.registry.discovery.pages import Listed, all_pages


@dataclass(frozen=True)
class Found:
    """What a server said of itself; `instructions` may be None."""

    era: str
    server_info: dict[str, Any]
    instructions: str | None
    offers: Mapping[ToolKind, Listed]


@dataclass
class _Watch:
    """The statuses of refusals, which the client's errors do not tell."""

    refused: set[int] = field(default_factory=set)

    async def __call__(self, response: httpx2.Response) -> None:
        if response.status_code in (401, 403):
            self.refused.add(response.status_code)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = BoundedStream(response.stream)


async def probe(
    settings: Settings,
    url: str,
    headers: Mapping[str, str],
    transport: Transport = "streamable-http",
    deadline_s: float = DEADLINE_S,
) -> Found:
    """Ask a server for its identity and every page of its lists, in whichever era it speaks.

    `headers` carry the server's credential. Raises Failure, whose reason repeats none of them.
    """
    watch = _Watch()
    try:
        with anyio.fail_after(deadline_s):
            return await _ask(settings, url, headers, transport, watch)
    except Exception as error:  # noqa: BLE001  (whatever a foreign server provokes is its failure)
        raise Failure.of(watch.refused, describe(error, deadline_s), headers) from None


async def _ask(
    settings: Settings, url: str, headers: Mapping[str, str], transport: Transport, watch: _Watch
) -> Found:
    http = httpx2.AsyncClient(
        transport=guarded_transport(settings),
        headers=dict(headers),
        timeout=DEADLINE_S,
        trust_env=False,
        event_hooks={"response": [watch]},
    )
    connection = (
        sse_client(url, httpx_client_factory=lambda headers=None, timeout=None, auth=None: http)  # noqa: ARG005
        if transport == "sse"
        else streamable_http_client(url, http_client=http, max_sse_event_size=MAX_BYTES)
    )
    async with (
        aclosing(http),
        Client(
            connection,
            mode="legacy" if transport == "sse" else "auto",
            client_info=Implementation(name="gatepost-registry", version=__version__),
            cache=None,
        ) as client,
    ):
        info = client.server_info
        return Found(
            era="modern" if client.protocol_version in MODERN_PROTOCOL_VERSIONS else "legacy",
            server_info=info.model_dump(mode="json", by_alias=True, exclude_none=True) if info else {},
            instructions=client.instructions,
            offers=await _offers(client),
        )


async def _offers(client: Client) -> dict[ToolKind, Listed]:
    has = client.server_capabilities
    offers: dict[ToolKind, Listed] = {}
    if has.tools is not None:
        offers[ToolKind.TOOL] = await all_pages(
            "tools/list", lambda cursor: client.list_tools(cursor=cursor), lambda page: page.tools
        )
    if has.prompts is not None:
        offers[ToolKind.PROMPT] = await all_pages(
            "prompts/list", lambda cursor: client.list_prompts(cursor=cursor), lambda page: page.prompts
        )
    if has.resources is not None:
        offers[ToolKind.RESOURCE] = await all_pages(
            "resources/list", lambda cursor: client.list_resources(cursor=cursor), lambda page: page.resources
        )
        offers[ToolKind.TEMPLATE] = await all_pages(
            "resources/templates/list",
            lambda cursor: client.list_resource_templates(cursor=cursor),
            lambda page: page.resource_templates,
        )
    return offers
