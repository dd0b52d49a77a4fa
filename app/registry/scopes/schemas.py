from pydantic import Field

from app.core.models import Scope


class SavedScope(Scope):
    """A scope as it was saved; `warnings` names what in it reaches nothing for now."""

    warnings: list[str] = Field(default=[])
