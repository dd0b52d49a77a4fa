from typing import Literal

from pydantic import BaseModel

from app.auth.oauth.access import AccessToken


class TokenAnswer(BaseModel):
    """What a client gets at the token endpoint (RFC 6749, 5.1; RFC 8693, 2.2.1).

    `scope` is there where the token is narrowed.
    """

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  (its kind)
    expires_in: int
    refresh_token: str | None = None
    scope: str | None = None
    issued_token_type: str | None = None


def answer(value: str, token: AccessToken, now: float, **more: str | None) -> TokenAnswer:
    """The answer with this access token."""
    scope = None if token.scopes is None else " ".join(token.scopes)
    left = max(0, token.expires_at - int(now))
    return TokenAnswer(access_token=value, expires_in=left, scope=scope, **more)
