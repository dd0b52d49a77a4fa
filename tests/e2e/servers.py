"""Real MCP servers for the tests, each in a thread of its own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import httpx2
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import Context, MCPServer
from starlette.types import ASGIApp


def tools_server() -> MCPServer:
    """Two tools, a prompt and a resource; `ticks` reports progress until it is done."""
    server = MCPServer("tools")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    def secret_note() -> str:
        """Read a note that not everyone may read."""
        return "the note"

    @server.tool()
    async def ticks(count: int, ctx: Context) -> str:
        """Report progress `count` times."""
        for number in range(count):
            await ctx.report_progress(number, count)
            await asyncio.sleep(0.05)
        return "done"

    @server.prompt()
    def greeting(name: str) -> str:
        """Greet somebody."""
        return f"Say hello to {name}."

    @server.resource("note://today")
    def today() -> str:
        """Today's note."""
        return "nothing special"

    return server


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an ASGI application on a free loopback port; gives its origin."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    host, port = listener.getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextlib.asynccontextmanager
async def client(url: str, token: str, mode: str = "auto") -> AsyncIterator[Client]:
    """An ordinary MCP client with a bearer token."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as connected,
    ):
        yield connected
