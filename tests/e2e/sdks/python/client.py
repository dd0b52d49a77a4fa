"""A client of the Python SDK 2.x: `client.py MODE URL...` prints what it saw at each; TOKEN is its token."""

import asyncio
import json
import os
import sys
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult


async def introduce(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"name": "Ada"})


async def look(mcp: Client) -> dict[str, Any]:
    progress: list[float] = []

    async def note(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    async def text(tool: str, **arguments: int) -> str:
        return (await mcp.call_tool(tool, arguments)).content[0].text

    async def text_or_error(tool: str) -> str:
        try:
            return await text(tool)
        except MCPError as error:
            return str(error)

    return {
        "version": mcp.protocol_version,
        "tools": [tool.name for tool in (await mcp.list_tools()).tools],
        "sum": await text("add", a=2, b=3),
        "large": await text("add", a=9007199254740993, b=2),
        "ticks": (await mcp.call_tool("ticks", {"count": 3}, progress_callback=note)).content[0].text,
        "progress": progress,
        "failed": (await mcp.call_tool("fail", {})).is_error,
        "refused": await text_or_error("secret_note"),
        "sum_after": await text("add", a=1, b=1),
        "asked": await text_or_error("ask"),
        "interrupted": await text("interrupted"),
        "prompts": [prompt.name for prompt in (await mcp.list_prompts()).prompts],
        "prompt": (await mcp.get_prompt("greeting", {"name": "Ada"})).messages[0].content.text,
        "resources": [str(resource.uri) for resource in (await mcp.list_resources()).resources],
        "resource": (await mcp.read_resource("note://today")).contents[0].text,
    }


async def main(mode: str, urls: list[str]) -> None:
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
        for url in urls:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport, mode=mode, elicitation_callback=introduce) as mcp:
                print(json.dumps(await look(mcp)), flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2:]))
