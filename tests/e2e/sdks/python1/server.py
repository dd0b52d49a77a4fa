"""A server of the Python SDK 1.x, of the legacy era."""

import asyncio

from mcp.server.fastmcp import Context, FastMCP
from pydantic import BaseModel

from tests.e2e.sdks.event_store import Events
from tests.e2e.sdks.serve import serve

server = FastMCP("python1", event_store=Events(), retry_interval=10)


class Person(BaseModel):
    name: str


@server.tool()
def add(a: int, b: int) -> int:
    return a + b


@server.tool()
def secret_note() -> str:
    return "the note"


@server.tool()
def fail() -> str:
    raise ValueError("deliberate failure")


@server.tool()
async def ticks(count: int, ctx: Context) -> str:
    for number in range(1, count + 1):
        await ctx.report_progress(number, count)
        await asyncio.sleep(0.01)
    return "done"


@server.tool()
async def interrupted(ctx: Context) -> str:
    """Ends its stream before its answer, which the client has to come back for."""
    await ctx.close_sse_stream()
    await asyncio.sleep(0.01)
    return "done"


@server.tool()
async def ask(ctx: Context) -> str:
    answer = await ctx.elicit("Who are you?", Person)
    return f"hello {answer.data.name}"


@server.prompt()
def greeting(name: str) -> str:
    return f"Say hello to {name}."


@server.resource("note://today")
def today() -> str:
    return "nothing special"


serve(server.streamable_http_app())
