from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from app.core.models import Token

DEFAULT_DAYS = 30


class NewToken(BaseModel):
    """A token to make. Without `scopes` it may do what its maker may.

    Without an expiry it lasts for 30 days. `expires_at` null is until it is revoked, where there is no
    longest life of tokens (`GATEPOST_TOKEN_MAX_DAYS`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    scopes: list[str] | None = Field(None, min_length=1, max_length=100)
    expires_days: int | None = Field(None, ge=1, le=3650)
    expires_at: AwareDatetime | None = Field(None, description="in place of expires_days")

    @model_validator(mode="after")
    def _one_expiry(self) -> "NewToken":
        if self.expires_days is not None and "expires_at" in self.model_fields_set:
            raise ValueError("give either expires_days or expires_at")
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            raise ValueError("expires_at is in the past")
        return self

    def ends(self, longest_days: int) -> datetime | None:
        """When it expires, None for never; `longest_days` 0 is no limit. Raises ValueError beyond it."""
        now = datetime.now(UTC)
        longest = now + timedelta(days=longest_days) if longest_days else None
        if "expires_at" in self.model_fields_set:
            wanted = self.expires_at
        elif self.expires_days is not None:
            wanted = now + timedelta(days=self.expires_days)
        else:
            wanted = now + timedelta(days=min(DEFAULT_DAYS, longest_days or DEFAULT_DAYS))
        if longest is not None and (wanted is None or wanted > longest):
            raise ValueError(f"a token lasts for {longest_days} days at most here")
        return wanted


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
        members = token.model_dump(exclude={"subject", "made_by"})
        return cls(**members, last_used_at=last_used_at)


class CreatedToken(TokenAnswer):
    """A token that was just made; `value` is shown this once."""

    value: str
