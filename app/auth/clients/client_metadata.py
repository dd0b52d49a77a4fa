"""What clients say of themselves, in a registration or in their document (RFC 7591, 2)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import model_validator as model

from app.auth.clients.keys import public_keys
from app.auth.clients.model import AuthMethod, GrantType
from app.auth.clients.names import clean_name
from app.auth.clients.redirects import registrable
from app.auth.oauth.errors import OAuthError
from app.core.problems import wrong_with

MOST_REDIRECTS = 10
OWN_GRANTS = ("authorization_code", "refresh_token")
"""What a client may have without an administrator: it acts for people, never for itself."""


def https_url(value: str) -> str:
    """An https URL without user and fragment. Raises ValueError."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    fit = parts.scheme == "https" and parts.hostname and "@" not in parts.netloc and port != 0
    if not fit or "#" in value or len(value) > 2048 or not value.isascii() or not value.isprintable():
        raise ValueError("it is no https URL without user and fragment")
    return value


def _own_grants(value: object) -> object:
    if not isinstance(value, list):
        return value
    if "authorization_code" not in value:
        raise ValueError(
            "authorization_code must be among them; a client that acts for itself is registered by an "
            "administrator"
        )
    return [grant for grant in OWN_GRANTS if grant in value]


def _code(value: list[str]) -> list[str]:
    if "code" not in value:
        raise ValueError("code must be among them")
    return ["code"]


def _homepage(value: object) -> str | None:
    try:
        return https_url(value) if isinstance(value, str) else None
    except ValueError:
        return None


RedirectUris = Annotated[
    list[Annotated[str, AfterValidator(registrable)]], Field(min_length=1, max_length=MOST_REDIRECTS)
]
Jwks = Annotated[dict[str, Any], AfterValidator(public_keys)]
HttpsUrl = Annotated[str, AfterValidator(https_url)]


class ClientMetadata(BaseModel):
    """The members that count here; others are ignored, as are grants that need an administrator."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    redirect_uris: RedirectUris
    client_name: Annotated[str, AfterValidator(clean_name)] | None = None
    token_endpoint_auth_method: AuthMethod | None = None
    grant_types: Annotated[list[GrantType], BeforeValidator(_own_grants)] = [
        "authorization_code",
        "refresh_token",
    ]
    response_types: Annotated[list[str], AfterValidator(_code)] = ["code"]
    application_type: Literal["native", "web"] | None = None
    jwks: Jwks | None = None
    jwks_uri: HttpsUrl | None = None
    client_uri: Annotated[str | None, BeforeValidator(_homepage)] = None

    @model(mode="after")
    def _keys_where_they_count(self) -> Self:
        one_of_both = (self.jwks is None) != (self.jwks_uri is None)
        if self.token_endpoint_auth_method == "private_key_jwt" and not one_of_both:  # noqa: S105  (a name)
            raise ValueError("private_key_jwt needs either jwks or jwks_uri")
        return self


def read_metadata(body: Mapping[str, Any]) -> ClientMetadata:
    """Raises OAuthError, `invalid_redirect_uri` or `invalid_client_metadata`: which member, and why."""
    try:
        return ClientMetadata.model_validate(body)
    except ValidationError as error:
        found = error.errors()[0]
        member = str(found["loc"][0]) if found["loc"] else "the metadata"
        code: Literal["invalid_redirect_uri", "invalid_client_metadata"] = (
            "invalid_redirect_uri" if member == "redirect_uris" else "invalid_client_metadata"
        )
        raise OAuthError(code, f"{member}: {wrong_with(found)}") from None
