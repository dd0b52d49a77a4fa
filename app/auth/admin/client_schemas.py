from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.auth.clients.client_metadata import MOST_REDIRECTS, HttpsUrl, Jwks
from app.auth.clients.model import AuthMethod, GrantType
from app.auth.clients.names import clean_name
from app.auth.clients.redirects import registrable

ClientId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{2,62}$")]
Group = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _shown(value: str) -> str:
    name = clean_name(value)
    if not name:
        raise ValueError("it must have a letter that can be seen")
    return name


class ClientSettings(BaseModel):
    """A client as an administrator describes it; `groups` are what it may do for itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_shown), Field(max_length=100)]
    redirect_uris: list[Annotated[str, AfterValidator(registrable)]] = Field([], max_length=MOST_REDIRECTS)
    grant_types: list[GrantType] = Field(["authorization_code", "refresh_token"], min_length=1)
    auth_method: AuthMethod = "client_secret_basic"
    jwks: Jwks | None = None
    jwks_uri: HttpsUrl | None = None
    groups: list[Group] = Field([], max_length=100)
    client_uri: HttpsUrl | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        grants = set(self.grant_types)
        if ("authorization_code" in grants) != bool(self.redirect_uris):
            raise ValueError("redirect_uris go with authorization_code: give both, or neither")
        if "refresh_token" in grants and "authorization_code" not in grants:
            raise ValueError("refresh_token needs authorization_code beside it")
        if "client_credentials" in grants and self.auth_method == "none":
            raise ValueError("client_credentials need a way to authenticate: auth_method must not be none")
        if self.groups and "client_credentials" not in grants:
            raise ValueError("groups are for client_credentials, which is not among grant_types")
        keys = (self.jwks is not None) + (self.jwks_uri is not None)
        if keys != (self.auth_method == "private_key_jwt"):
            raise ValueError("private_key_jwt needs either jwks or jwks_uri, and nothing else takes them")
        return self


class NewClient(ClientSettings):
    """A client to register; without an id it gets one."""

    client_id: ClientId | None = None


class ClientView(BaseModel):
    """A registered client, without its secret."""

    client_id: str
    kind: Literal["preregistered", "dynamic"]
    name: str
    redirect_uris: list[str]
    grant_types: list[GrantType]
    auth_method: AuthMethod
    jwks: dict[str, Any] | None
    jwks_uri: str | None
    groups: list[str]
    client_uri: str | None
    created_at: datetime
    used_at: datetime | None = Field(description="when it last got a token, to the hour")


class CreatedClient(ClientView):
    """A new client and its secret, which is in this answer alone; null where it needs none."""

    client_secret: str | None = Field(repr=False)


class NewSecret(BaseModel):
    """A client's new secret, which is in this answer alone."""

    client_id: str
    client_secret: str = Field(repr=False)
