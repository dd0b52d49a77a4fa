"""A server of the Python SDK 1.x, of the legacy era."""

from mcp.server.fastmcp import Context, FastMCP
from pydantic import BaseModel

from tests.e2e.sdks.event_store import Events
from tests.e2e.sdks.serve import serve
from tests.e2e.sdks.tools import offer

server = FastMCP("python1", event_store=Events(), retry_interval=10)


class Person(BaseModel):
    name: str


@server.tool()
async def ask(ctx: Context) -> str:
    answer = await ctx.elicit("Who are you?", Person)
    return f"hello {answer.data.name}"


offer(server, Context)
serve(server.streamable_http_app())
