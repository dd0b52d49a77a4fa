"""Real MCP servers for the registry to look at."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from mcp.server import Server
from mcp.server.mcpserver import MCPServer
from mcp_types import ListToolsResult, Tool
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from tests.unit.registry.conftest import serving

PAGE = 3


def toolbox() -> MCPServer:
    """A server with something of each kind."""
    server = MCPServer("toolbox", version="2.5.0", instructions="Use it well.")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.prompt()
    def greet(name: str) -> str:
        """Greet somebody."""
        return f"Hello {name}"

    @server.resource("memo://today")
    def today() -> str:
        """What is on today."""
        return "nothing"

    @server.resource("memo://{day}")
    def day(day: str) -> str:
        """What is on that day."""
        return day

    return server


def paged(count: int, repeat: bool = False) -> Server[Any]:
    """A server whose tools come in pages; with `repeat` its last page leads to the first for ever."""

    async def list_tools(_context: Any, params: Any) -> ListToolsResult:
        start = int(params.cursor) if params and params.cursor else 0
        names = [f"tool_{number:03}" for number in range(start, min(start + PAGE, count))]
        tools = [Tool(name=name, input_schema={"type": "object"}) for name in names]
        after = start + PAGE
        cursor = str(after) if after < count else ("0" if repeat else None)
        return ListToolsResult(tools=tools, next_cursor=cursor)

    return Server("paged", on_list_tools=list_tools)


class LegacyOnly:
    """Answers a modern request as the TypeScript SDK 1.x does, which knows no such thing."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.sessions = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", []))
        if headers.get(b"mcp-protocol-version", b"").decode() in MODERN_PROTOCOL_VERSIONS:
            await answer(send, 400, {"code": -32000, "message": "Bad Request: Server not initialized"})
            return
        self.sessions += b"mcp-session-id" in headers
        await self.app(scope, receive, send)


class Guarded:
    """Wants this value of a header; `status` is for whoever has another. Keeps what it was sent."""

    def __init__(self, app: Any, name: str, value: str, status: int = 401) -> None:
        self.app, self.name, self.value, self.status = app, name.lower().encode(), value, status
        self.sent: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(self.name, b"").decode()
            self.sent.add(given)
            if given != self.value:
                await answer(send, self.status, {"code": -32001, "message": f"not with {given}"})
                return
        await self.app(scope, receive, send)


async def answer(send: Any, status: int, error: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def upstream(server: Any) -> AsyncIterator[str]:
    """Serve an MCP server, or a wrapped application of one; the value is its MCP URL."""
    app = server.streamable_http_app() if hasattr(server, "streamable_http_app") else server
    async with serving(app) as url:
        yield f"{url}/mcp"
