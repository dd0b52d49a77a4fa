from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.core.models.scope import WILDCARD

Provider = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="the provider's name")]
Group = Annotated[
    str,
    Query(
        min_length=1,
        max_length=512,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="the group, as the provider names it",
    ),
]
OwnGroup = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewMapping(BaseModel):
    """What a provider's group counts as: our groups, as scopes name them; none takes the group away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: list[OwnGroup] = Field(max_length=100)

    @field_validator("groups")
    @classmethod
    def _no_wildcard(cls, groups: list[str]) -> list[str]:
        if WILDCARD in groups:
            raise ValueError("* is everybody already; name a group")
        return sorted(set(groups))


class GroupMapping(BaseModel):
    """A group of an identity provider and what it counts as here."""

    provider: str
    group: str
    groups: list[str]


class SavedMapping(GroupMapping):
    """A mapping as it was saved; `warnings` names what of it has no effect for now."""

    warnings: list[str]
