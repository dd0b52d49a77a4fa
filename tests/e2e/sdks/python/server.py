"""A server of the Python SDK 2.x, of both eras."""

import asyncio
from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel

from tests.e2e.sdks.event_store import Events
from tests.e2e.sdks.serve import serve

server = MCPServer("python")


class Person(BaseModel):
    name: str


async def who() -> Elicit[Person]:
    return Elicit("Who are you?", Person)


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
def ask(person: Annotated[Person, Resolve(who)]) -> str:
    return f"hello {person.name}"


@server.prompt()
def greeting(name: str) -> str:
    return f"Say hello to {name}."


@server.resource("note://today")
def today() -> str:
    return "nothing special"


serve(server.streamable_http_app(event_store=Events(), retry_interval=10))
