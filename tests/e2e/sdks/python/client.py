"""A client of the Python SDK 2.x: `client.py MODE URL...` prints what it saw at each; TOKEN is its token."""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client, MCPError
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult

from tests.e2e.sdks.usage import use


async def introduce(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"name": "Ada"})


async def main(mode: str, urls: list[str]) -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
        for url in urls:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport, mode=mode, elicitation_callback=introduce) as mcp:
                saw = {"version": mcp.protocol_version, **await use(mcp, MCPError, "is_error")}
                print(json.dumps(saw), flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2:]))
