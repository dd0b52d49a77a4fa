"""A client of the Python SDK 1.x: `client.py URL...` prints what it saw at each; TOKEN is its token."""

import asyncio
import json
import os
import sys
from typing import Any

import httpx
from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.context import RequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from tests.e2e.sdks.usage import use


async def introduce(context: RequestContext[ClientSession, Any], params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"name": "Ada"})


async def main(urls: list[str]) -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    async with httpx.AsyncClient(headers=headers, timeout=20) as http:
        for url in urls:
            async with (
                streamable_http_client(url, http_client=http) as (read, write, _),
                ClientSession(read, write, elicitation_callback=introduce) as mcp,
            ):
                version = (await mcp.initialize()).protocolVersion
                saw = {"version": version, **await use(mcp, McpError, "isError")}
                print(json.dumps(saw), flush=True)


asyncio.run(main(sys.argv[1:]))
