from pydantic import BaseModel, ConfigDict, Field


class User(BaseModel):
    """Somebody known to a provider."""

    id: str
    username: str
    name: str
    mail: str
    enabled: bool


class WantedIdentity(BaseModel):
    """The service account an agent shall have: at which provider, in which of its groups (paths)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    groups: list[str] = Field(default=[], max_length=100)


class AgentIdentity(BaseModel):
    """An agent's service account; `client_secret` is there only where it was made or rotated just now."""

    provider: str
    issuer: str
    client_id: str
    groups: list[str] | None = None
    client_secret: str | None = None
