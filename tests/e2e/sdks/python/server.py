"""A server of the Python SDK 2.x, of both eras."""

from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel

from tests.e2e.sdks.event_store import Events
from tests.e2e.sdks.serve import serve
from tests.e2e.sdks.tools import offer

server = MCPServer("python")


class Person(BaseModel):
    name: str


async def who() -> Elicit[Person]:
    return Elicit("Who are you?", Person)


@server.tool()
def ask(person: Annotated[Person, Resolve(who)]) -> str:
    return f"hello {person.name}"


offer(server, Context)
serve(server.streamable_http_app(event_store=Events(), retry_interval=10))
