from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from app.core.models import Token

DEFAULT_DAYS = 30


class NewToken(BaseModel):
    """A token to make. Without `scopes` it may do what its maker may; `expires_at` null: until revoked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    scopes: list[str] | None = Field(None, min_length=1, max_length=100)
    expires_days: int = Field(DEFAULT_DAYS, ge=1, le=3650)
    expires_at: AwareDatetime | None = Field(None, description="in place of expires_days")

    @model_validator(mode="after")
    def _one_expiry(self) -> "NewToken":
        if {"expires_days", "expires_at"} <= self.model_fields_set:
            raise ValueError("give either expires_days or expires_at")
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            raise ValueError("expires_at is in the past")
        return self

    def ends(self) -> datetime | None:
        """When it expires; None for never."""
        if "expires_at" in self.model_fields_set:
            return self.expires_at
        return datetime.now(UTC) + timedelta(days=self.expires_days)


class TokenAnswer(BaseModel):
    """A token without its value, which only its maker ever saw."""

    id: str
    name: str
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = None

    @classmethod
    def of(cls, token: Token, last_used_at: datetime | None = None) -> "TokenAnswer":
        """The answer for a token."""
        members = token.model_dump(exclude={"subject"})
        return cls(**members, last_used_at=last_used_at)


class CreatedToken(TokenAnswer):
    """A token that was just made; `value` is shown this once."""

    value: str
