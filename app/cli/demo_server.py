"""The small real MCP server of `gatepost demo`: `add`, and `secret_note` that nobody is to reach."""

import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("gatepost-demo", version="1.0.0")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two whole numbers."""
    return a + b


@server.tool()
def secret_note() -> str:
    """Read a note that no scope of the demo allows."""
    return "the gateway let a call through that it should have refused"


if __name__ == "__main__":
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]), streamable_http_path="/mcp")
