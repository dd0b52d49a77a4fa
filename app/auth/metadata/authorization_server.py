from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app.auth.clients.keys import ALGORITHMS as CLIENT_ALGORITHMS
from app.auth.deps import AuthParts
from app.core.keys import ALGORITHM

router = APIRouter(tags=["metadata"])
MAX_AGE_S = 300
AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]


class AuthorizationServer(BaseModel):
    """Metadata of the authorization server (RFC 8414, 2), with what parsers of OpenID Connect insist on.

    Scopes are not listed: which there are is nobody's business who has none of them.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    registration_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    jwks_uri: str
    scopes_supported: list[str] = ["offline_access"]
    response_types_supported: list[str] = ["code"]
    response_modes_supported: list[str] = ["query"]
    grant_types_supported: list[str] = [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]
    code_challenge_methods_supported: list[str] = ["S256"]
    token_endpoint_auth_methods_supported: list[str] = AUTH_METHODS
    token_endpoint_auth_signing_alg_values_supported: list[str] = CLIENT_ALGORITHMS
    revocation_endpoint_auth_methods_supported: list[str] = AUTH_METHODS
    revocation_endpoint_auth_signing_alg_values_supported: list[str] = CLIENT_ALGORITHMS
    introspection_endpoint_auth_methods_supported: list[str] = AUTH_METHODS[1:]
    introspection_endpoint_auth_signing_alg_values_supported: list[str] = CLIENT_ALGORITHMS
    client_id_metadata_document_supported: bool = True
    authorization_response_iss_parameter_supported: bool = True
    subject_types_supported: list[str] = ["public"]
    id_token_signing_alg_values_supported: list[str] = [ALGORITHM]


@router.get("/.well-known/oauth-authorization-server", response_model=AuthorizationServer)
@router.get("/.well-known/openid-configuration", response_model=AuthorizationServer)
async def authorization_server(auth: AuthParts) -> JSONResponse:
    """How clients log people in here; the same at both addresses."""
    issuer = auth.settings.public_url
    found = AuthorizationServer(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        registration_endpoint=f"{issuer}/oauth/register",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        introspection_endpoint=f"{issuer}/oauth/introspect",
        jwks_uri=f"{issuer}/oauth/jwks",
    )
    return JSONResponse(found.model_dump(), headers={"Cache-Control": f"public, max-age={MAX_AGE_S}"})
