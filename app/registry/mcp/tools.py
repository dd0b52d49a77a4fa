from typing import Annotated, Any, cast

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field
from starlette.requests import Request

from app import __version__
from app.core.policy import Grants
from app.registry.catalogue.overviews import Catalogue
from app.registry.mcp.results import FoundTool, FoundTools, ListedServer, ListedServers, ServerStatus
from app.registry.search.service import Search

INSTRUCTIONS = (
    "The registry of this organisation's MCP servers. Look here first when a task needs a tool that you "
    "do not have: find_tools says which tool does it and at which MCP address. Connect to that address as "
    "to any MCP server and call the tool there; it cannot be called through this server."
)
_READS_ONLY = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


def build(search: Search, catalogue: Catalogue) -> MCPServer[Any]:
    """The registry as an MCP server. Its HTTP requests must carry the caller's grants in `state.grants`."""
    server: MCPServer[Any] = MCPServer(
        "registry",
        title="Gatepost registry",
        instructions=INSTRUCTIONS,
        version=__version__,
        subscriptions=False,
    )

    @server.tool(title="Find tools", annotations=_READS_ONLY)
    async def find_tools(
        query: Annotated[
            str,
            Field(
                min_length=1, max_length=1000, description="what the tool should do, e.g. 'weather forecast'"
            ),
        ],
        ctx: Context[Any, Request],
        limit: Annotated[int, Field(ge=1, le=100, description="the most tools to return")] = 10,
    ) -> FoundTools:
        """Find the tools of all registered MCP servers that fit a task, best first.

        Use it when a task needs something that none of your tools does, or to learn which server offers
        a tool. Describe one step in a few plain words: 'convert word document to pdf' finds more than a
        whole task. Each result has the tool's name, its server, what it does, a score of fit, and mcp_url:
        connect there and call the tool by its name; where mcp_url is null, refusal says why. Only tools
        that you may see are searched. An empty list means that nothing fits, and note what to try.
        """
        if not query.strip():
            raise ToolError("query is empty; say in a few words what the tool should do")
        hits = await search.find(query, _grants(ctx), kinds=["tool"], limit=limit)
        note = None if hits else "no tool has these words; try others, or list_servers to see what there is"
        return FoundTools(tools=[FoundTool.of(hit, catalogue) for hit in hits], note=note)

    @server.tool(title="List servers", annotations=_READS_ONLY)
    async def list_servers(ctx: Context[Any, Request]) -> ListedServers:
        """List every registered MCP server that you may see: its purpose, whether it is up, how many tools.

        Use it to get an overview; to find a tool for a task, find_tools is quicker. Each server has mcp_url,
        the address to connect to, or in refusal the reason why you cannot.
        """
        return ListedServers(servers=[ListedServer.of(seen) for seen in await catalogue.list(_grants(ctx))])

    @server.tool(title="Server status", annotations=_READS_ONLY)
    async def server_status(
        server: Annotated[str, Field(description="its name as find_tools and list_servers give it")],
        ctx: Context[Any, Request],
    ) -> ServerStatus:
        """Say whether one registered MCP server is up, when that was checked, and which tools it has.

        Use it before relying on a server, or when calls to it fail: reason says what the last check found.
        """
        seen = await catalogue.find(server, _grants(ctx))
        if seen is None:
            raise ToolError(
                f"there is no server {server!r} that you may see; list_servers names those there are"
            )
        return ServerStatus.of(seen)

    return server


def _grants(ctx: Context[Any, Request]) -> Grants:
    request = ctx.request_context.request
    assert request is not None  # noqa: S101  (it came over HTTP)
    return cast("Grants", request.state.grants)
