"""What scripts of any site may read: clients of MCP that run in a browser log in by these paths."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_PATHS = frozenset({"/oauth/register", "/oauth/token", "/oauth/revoke", "/oauth/jwks"})


class OpenPaths:
    """CORS for those paths alone, never with cookies: what is there needs none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "MCP-Protocol-Version"],
            expose_headers=["Retry-After", "WWW-Authenticate"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or mark the answer."""
        path = scope.get("path", "")
        is_open = scope["type"] == "http" and (path in _PATHS or path.startswith("/.well-known/"))
        await (self._open if is_open else self._app)(scope, receive, send)
