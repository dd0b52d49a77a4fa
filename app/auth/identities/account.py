"""What an agent's service account is in Keycloak. Pure."""

from dataclasses import dataclass, field
from typing import Any

from app.core.models.identity_provider import OidcProviderConfig


class RealmError(Exception):
    """The realm cannot be administered, or not so; the message names it, the reason and the fix."""


@dataclass(frozen=True)
class ServiceAccount:
    """An agent's own client in the realm. `secret` is set only where it was made or rotated just now."""

    client_id: str
    groups: list[str]
    secret: str | None = field(default=None, repr=False)


def client_document(config: OidcProviderConfig, client_id: str, name: str) -> dict[str, Any]:
    """A client that only gets tokens for itself, which say its groups and are accepted here.

    Raises RealmError where the provider's own tokens are not accepted.
    """
    audiences = config.tokens.audiences
    if not audiences:
        raise RealmError(
            f"the tokens of {config.name} are not accepted here; "
            "name an audience under tokens.audiences in its block"
        )
    in_tokens = {"access.token.claim": "true", "id.token.claim": "false"}
    groups = {"claim.name": config.claims.groups[0], "full.path": "false", **in_tokens}
    audience = {"included.custom.audience": audiences[0], **in_tokens}
    return {
        "clientId": client_id,
        "name": name,
        "protocol": "openid-connect",
        "publicClient": False,
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "protocolMappers": [
            _mapper("groups", "oidc-group-membership-mapper", groups),
            _mapper("audience", "oidc-audience-mapper", audience),
        ],
    }


def _mapper(name: str, kind: str, config: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}
