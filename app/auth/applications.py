"""The two HTTP applications: one for everybody behind the gateway, one for the gateway alone."""

from fastapi import APIRouter, Depends, FastAPI

from app.auth.clients.endpoints import router as clients
from app.auth.cors import OpenPaths
from app.auth.deps import require_gateway
from app.auth.epoch.endpoints import router as epoch
from app.auth.health.endpoints import router as health
from app.auth.identities.endpoints import router as identities
from app.auth.idps.endpoints import router as idps
from app.auth.jwks.endpoints import router as jwks
from app.auth.login.endpoints import router as login
from app.auth.metadata.authorization_server import router as authorization_server
from app.auth.metadata.endpoints import router as metadata
from app.auth.parts import Parts
from app.auth.providers.oidc.endpoints import router as oidc
from app.auth.providers.saml.endpoints import router as saml
from app.auth.verdict.caller import InvalidCredential
from app.auth.verdict.endpoints import invalid_credential
from app.auth.verdict.endpoints import router as verdict
from app.core.problems import install


def public_application(parts: Parts) -> FastAPI:
    """Login, metadata and keys: what the gateway passes on without a verdict."""
    app = _application(
        parts, health, login, oidc, saml, metadata, authorization_server, jwks, clients, idps, identities
    )
    app.add_middleware(OpenPaths)
    return app


def internal_application(parts: Parts) -> FastAPI:
    """Verdicts and epochs, for whoever has the gateway's secret."""
    guarded = APIRouter(dependencies=[Depends(require_gateway)])
    guarded.include_router(verdict)
    guarded.include_router(epoch)
    app = _application(parts, health, guarded)
    app.add_exception_handler(InvalidCredential, invalid_credential)
    return app


def _application(parts: Parts, *routers: APIRouter) -> FastAPI:
    app = FastAPI(title="Gatepost auth server", openapi_url=None, redirect_slashes=False)
    app.state.parts = parts
    install(app)
    for router in routers:
        app.include_router(router)
    return app
