from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.core.identity import IDENTITY_HEADER
from app.registry.caller import authenticate
from app.registry.mcp.tools import build
from app.registry.services import Services

PATH = "/mcp/registry"


class RegistryMcp:
    """The registry's own MCP server, both eras, as an ASGI endpoint for POST at `PATH`.

    It keeps no session and pushes nothing, so the GET and DELETE of the legacy transport have nothing to do.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        server = build(services.search, services.catalogue)
        # A request needs an identity that auth signed, which no rebound browser has; Host is the gateway's.
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        self._app = server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            stateless_http=True,
            max_request_body_size=services.settings.max_body,
            transport_security=security,
        )
        self._sessions = server.session_manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request in the name of its caller. Raises a 401 problem for one without an identity."""
        request = Request(scope)
        caller = await authenticate(self._services, request.headers.getlist(IDENTITY_HEADER))
        request.state.grants = caller.grants
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve while the context lasts; enter it once, within the application's lifespan."""
        async with self._sessions.run():
            yield
