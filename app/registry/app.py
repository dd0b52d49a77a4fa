from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.routing import Route

from app import __version__
from app.core.keys import SigningKeys
from app.core.problems import install
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.sound_json import require_sound_body
from app.core.store import Store
from app.registry.about.endpoints import router as about
from app.registry.agents.cards import router as cards
from app.registry.agents.endpoints import router as agents
from app.registry.audit import intake
from app.registry.audit.endpoints import router as audit
from app.registry.credentials.endpoints import router as credentials
from app.registry.group_mappings.endpoints import router as group_mappings
from app.registry.mcp.endpoint import PATH, RegistryMcp
from app.registry.scopes.endpoints import router as scopes
from app.registry.search.endpoints import router as search
from app.registry.servers.endpoints import router as servers
from app.registry.services import Services
from app.registry.tokens.endpoints import router as tokens
from app.registry.tools.endpoints import router as tools
from app.registry.ui.endpoints import router as ui


def create_app(settings: Settings, store: Store, sealer: Sealer, keys: SigningKeys) -> FastAPI:
    """The registry on an open store: `/api`, `/ui`, `/mcp/registry`, agents' cards.

    Its Services are `app.state.registry`. Its lifespan must run: it follows the store, serves MCP,
    and ends background work before the store is closed by whoever opened it.
    """
    services = Services.make(settings, store, sealer, keys)
    mcp = RegistryMcp(services)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with services.follower.following(), mcp.running():
            try:
                yield
            finally:
                await services.discovery.close()

    app = FastAPI(
        title="Gatepost registry",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        dependencies=[Depends(require_sound_body)],
    )
    app.state.registry = services
    install(app)
    for router in (about, servers, agents, cards, tools, credentials, scopes, group_mappings, tokens, search):
        app.include_router(router)
    app.include_router(audit)
    app.include_router(ui)
    app.router.routes.append(Route(PATH, mcp, methods=["POST"]))
    app.router.routes.append(Route(intake.PATH, intake.take, methods=["POST"]))
    return app
