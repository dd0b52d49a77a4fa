"""Identity providers as data: a preset is a dictionary of defaults, and a provider is a block of JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from app.core.loopback import is_loopback
from app.core.models.identity_provider_faults import in_words

LOCAL: Final = "local"
"""The name of the built-in provider, and of its type."""
RESERVED = frozenset({LOCAL, "client", "token"})
"""What the subjects of others begin with: people kept here, and OAuth clients that act for themselves; and
what the clients of personal tokens do."""
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "oidc": {},
    "keycloak": {
        "scopes": ["openid", "profile", "email", "offline_access"],
        "claims": {"name": ["name", "preferred_username"]},
    },
    "entra": {
        "scopes": ["openid", "profile", "email", "offline_access", "User.Read"],
        "claims": {
            "subject": ["oid"],
            "groups": ["groups", "roles"],
            "mail": ["email", "preferred_username"],
        },
        "graph_url": "https://graph.microsoft.com/v1.0",
        "tokens": {"client": ["azp", "appid"]},
    },
    "cognito": {
        "claims": {"name": ["name", "cognito:username"], "groups": ["cognito:groups"]},
        "tokens": {"audience_claim": "client_id", "client": ["client_id"]},
    },
    "saml": {"claims": {"subject": ["NameID"]}},
}


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{value!r} is not an https:// address without query and fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{value!r} is plain http and not on loopback; use https")
    return value


def _document(value: str) -> str:
    _address(value.partition("?")[0])
    return value


Address = Annotated[str, AfterValidator(_address)]
DocumentAddress = Annotated[str, AfterValidator(_document)]
"""An address that is only fetched, and may have a query: Entra gives an application's metadata by one."""
ClaimPaths = list[Annotated[str, Field(min_length=1, max_length=256)]]
"""Where a claim is found: the first path that leads to something; `/` goes into an object, as in
`resource_access/gatepost/roles`. Of `groups` all paths count together."""


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Claims(_Block):
    """Where a provider's tokens (or assertions) say who somebody is."""

    subject: ClaimPaths = ["sub"]
    name: ClaimPaths = ["name"]
    mail: ClaimPaths = ["email"]
    groups: ClaimPaths = ["groups"]


class AcceptedTokens(_Block):
    """Access tokens of the provider itself that may call; without `audiences` none may."""

    audiences: list[str] = Field(default=[], description="exact values of the audience claim, any of them")
    audience_claim: Literal["aud", "client_id"] = "aud"
    algorithms: list[
        Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
    ] = ["RS256", "PS256", "ES256"]
    client: ClaimPaths = ["azp", "client_id"]


class Administration(_Block):
    """A service account of Keycloak that may manage users and clients of its realm."""

    client_id: str
    client_secret_file: Path


class _Provider(_Block):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="part of subjects and URLs: it stays")
    label: str = Field(default="", max_length=64, description="what the login page says; default: the name")
    default: bool = Field(default=False, description="the login page is skipped and this one is used")

    @property
    def shown(self) -> str:
        """What people read."""
        return self.label or self.name


class LocalProviderConfig(_Provider):
    """The built-in provider: people whose passwords Gatepost keeps."""

    name: Literal["local"] = LOCAL
    type: Literal["local"] = "local"


class OidcProviderConfig(_Provider):
    """An OpenID provider, known by discovery from its issuer (OpenID Connect Discovery 1.0)."""

    type: Literal["oidc", "keycloak", "entra", "cognito"]
    issuer: Address
    client_id: str = Field(min_length=1)
    client_secret_file: Path | None = None
    client_secret_env: str | None = Field(default=None, description="the name of an environment variable")
    private_key_file: Path | None = Field(
        default=None, description="PEM; the client proves itself by it (private_key_jwt)"
    )
    private_key_id: str | None = Field(
        default=None, description="`kid` of private_key_file, or its certificate's x5t"
    )
    scopes: list[str] = ["openid", "profile", "email"]
    claims: Claims = Claims()
    tokens: AcceptedTokens = AcceptedTokens()
    graph_url: Address | None = Field(
        default=None, description="Microsoft Graph, where a token has too many groups"
    )
    hosted_ui: Address | None = Field(default=None, description="Cognito's domain, where its logout is")
    administration: Administration | None = None

    @model_validator(mode="after")
    def _one_secret_at_most(self) -> "OidcProviderConfig":
        given = [
            name
            for name in ("client_secret_file", "client_secret_env", "private_key_file")
            if getattr(self, name)
        ]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are both given; keep one")
        if self.administration and self.type != "keycloak":
            raise ValueError("administration is for the type keycloak alone")
        if "openid" not in self.scopes:
            raise ValueError("scopes must have openid")
        return self


class SamlProviderConfig(_Provider):
    """A SAML 2.0 identity provider, known by its metadata."""

    type: Literal["saml"]
    metadata_file: Path | None = None
    metadata_url: DocumentAddress | None = None
    entity_id: str | None = Field(
        default=None, description="what we are called there; default: the URL of our metadata"
    )
    claims: Claims = Claims()

    @model_validator(mode="after")
    def _one_metadata(self) -> "SamlProviderConfig":
        if (self.metadata_file is None) == (self.metadata_url is None):
            raise ValueError("give either metadata_file or metadata_url")
        return self


ProviderConfig = LocalProviderConfig | OidcProviderConfig | SamlProviderConfig
_LIST: TypeAdapter[list[ProviderConfig]] = TypeAdapter(
    list[Annotated[ProviderConfig, Field(discriminator="type")]]
)
_MODELS = (OidcProviderConfig, SamlProviderConfig, Claims, AcceptedTokens, Administration)
_MEMBERS = frozenset(name for model in _MODELS for name in model.model_fields)


def parse_providers(text: str | None) -> list[ProviderConfig]:
    """The providers of the setting, with their presets; the local one alone where it is not set.

    Raises ValueError, which names the provider, the member and the reason.
    """
    if text is None:
        return [LocalProviderConfig()]
    try:
        blocks = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(blocks, list) or not blocks or not all(isinstance(block, dict) for block in blocks):
        raise ValueError('it must be a list of objects, such as [{"type": "local"}]')
    try:
        providers = _LIST.validate_python([_with_preset(block) for block in blocks])
    except ValidationError as error:
        raise ValueError(in_words(error, blocks, _MEMBERS, [LOCAL, *PRESETS])) from None
    names = [provider.name for provider in providers]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two providers are called {', '.join(twice)}")
    for provider in providers:
        if provider.name in RESERVED and provider.type != LOCAL:
            raise ValueError(f"the name {provider.name} has a meaning of its own; choose another")
    if sum(provider.default for provider in providers) > 1:
        raise ValueError("more than one provider is the default")
    return providers


def _with_preset(block: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = dict(PRESETS.get(str(block.get("type")), {}))
    for name, value in block.items():
        default = merged.get(name)
        merged[name] = (
            {**default, **value} if isinstance(default, dict) and isinstance(value, dict) else value
        )
    return merged
