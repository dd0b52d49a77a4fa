from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Token(BaseModel):
    """A personal access token as it is stored: its value's SHA-256 is the document's id, never the value.

    `scopes` narrows what the owner's groups give at the time of a call; None means all of it. `made_by` is
    the id of the token that it was made with, which takes it along when it is revoked.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: str
    subject: str
    scopes: list[str] | None = None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    made_by: str | None = None
