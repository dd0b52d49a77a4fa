from pydantic import BaseModel

from app.auth.oauth.errors import Code


class OAuthFault(BaseModel):
    """A refusal as OAuth states it (RFC 6749, 5.2)."""

    error: Code
    error_description: str
