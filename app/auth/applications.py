"""The two HTTP applications: one for everybody behind the gateway, one for the gateway alone."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from app import __version__
from app.auth.admin.clients import router as client_administration
from app.auth.admin.grants import router as grant_administration
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
from app.auth.oauth.authorize import router as authorize
from app.auth.oauth.consent import router as consent
from app.auth.oauth.token import router as token
from app.auth.oauth.tokens_held import router as tokens_held
from app.auth.parts import Parts
from app.auth.providers.oidc.endpoints import router as oidc
from app.auth.providers.saml.endpoints import router as saml
from app.auth.verdict.caller import InvalidCredential
from app.auth.verdict.endpoints import invalid_credential
from app.auth.verdict.endpoints import router as verdict
from app.core.problems import install

PROBLEM: dict[str, Any] = {
    "description": "A problem document (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}
PAGES: dict[int | str, dict[str, Any]] = {
    "3XX": {"description": "On to where the browser goes next"},
    "4XX": {"description": "A page that says why", "content": {"text/html": {}}},
}


def public_application(parts: Parts) -> FastAPI:
    """Login, metadata and keys: what the gateway passes on without a verdict."""
    # At these paths the gateway answers for itself.
    hidden = APIRouter(include_in_schema=False)
    hidden.include_router(health)
    pages = APIRouter(responses=PAGES)
    for page in (login, oidc, saml, authorize, consent):
        pages.include_router(page)
    standard = (metadata, authorization_server, jwks, clients, token, tokens_held)
    administration = (client_administration, grant_administration, idps, identities)
    app = _application(parts, hidden, pages, *standard, *administration, openapi_url="/oauth/openapi.json")
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


def _application(parts: Parts, *routers: APIRouter, openapi_url: str | None = None) -> FastAPI:
    app = FastAPI(
        title="Gatepost auth server",
        version=__version__,
        openapi_url=openapi_url,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"4XX": PROBLEM, 503: PROBLEM},
    )
    app.state.parts = parts
    install(app)
    for router in routers:
        app.include_router(router)
    return app
