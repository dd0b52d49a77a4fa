"""What tells a provider's access token from its other tokens, and what it is for. Pure."""

from collections.abc import Mapping
from typing import Any

from app.auth.providers.oidc.signed import Signed, Untrusted, names
from app.core.models.identity_provider import AcceptedTokens

_TYPES = {None, "jwt", "at+jwt", "application/at+jwt"}
_OF_ID_TOKENS = ("nonce", "at_hash", "c_hash", "s_hash", "events")
"""Claims of ID tokens and logout tokens, which an access token has no use for."""


def audiences(claims: Mapping[str, Any], accepted: AcceptedTokens) -> set[str]:
    """For whom a token is; Cognito's access tokens have a `client_id` instead of `aud`."""
    return set(names(claims.get(accepted.audience_claim)))


def check_access_token(token: Signed, provider_type: str) -> None:
    """Raise Untrusted for an ID, refresh or logout token, as far as each provider lets tell."""
    typ = token.header.get("typ")
    if (typ.lower() if isinstance(typ, str) else typ) not in _TYPES:
        raise Untrusted("its typ is not that of an access token")
    claims = token.claims
    match provider_type:
        case "keycloak":
            known = claims.get("typ") == "Bearer"
        case "cognito":
            known = claims.get("token_use") == "access"
        case "entra":
            known = "azp" in claims or "appid" in claims  # which its ID tokens never have
        case _:
            known = not any(name in claims for name in _OF_ID_TOKENS)
    if not known:
        raise Untrusted("it is no access token")
    if "cnf" in claims:
        raise Untrusted("it is bound to a key of the client's (cnf), which is not checked here")
