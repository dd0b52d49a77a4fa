from typing import Literal

from pydantic import BaseModel

from app.auth.oauth.access import AccessToken

MARGIN_S = 30
"""How much sooner a client hears that its token ends: one that is refused often asks its person anew."""


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
    left = token.expires_at - now
    said = max(0, int(left - min(MARGIN_S, left / 10)))
    return TokenAnswer(access_token=value, expires_in=said, scope=scope, **more)
