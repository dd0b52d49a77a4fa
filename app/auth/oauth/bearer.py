"""Our access tokens as credentials at a resource."""

import time

from app.auth.oauth.access import AccessTokens, unproven
from app.auth.oauth.holders import Holders, Revoked
from app.auth.oauth.resources import covers
from app.auth.verdict.caller import Caller, InvalidCredential, Reason
from app.core.keys import InvalidToken, UnknownKey


class OAuthTokens:
    """The bearer tokens of OAuth clients."""

    def __init__(self, tokens: AccessTokens, holders: Holders) -> None:
        self._tokens = tokens
        self._holders = holders

    async def caller(self, value: str, resource: str) -> Caller | None:
        """The token's subject by way of its client, where the token is for that resource."""
        if not self._tokens.is_ours(value):
            return None
        try:
            holder = await self._holders.find(value)
        except InvalidToken as error:
            raise InvalidCredential(_reason(error, value)) from None
        token = holder.token
        if not covers(token.resource, resource):
            raise InvalidCredential("audience")
        return Caller(
            subject=token.subject,
            client=token.client_id,
            groups=holder.groups,
            scopes=token.scopes,
            expires_at=token.expires_at,
            token_ends=token.expires_at,
            steps_up=token.scopes is not None and holder.grant is not None and holder.grant.kind == "code",
            refreshes=holder.grant is not None and holder.grant.refresh is not None,
        )


def _reason(error: InvalidToken, value: str) -> Reason:
    if isinstance(error, Revoked):
        return "revoked"
    if isinstance(error, UnknownKey):
        return "unknown"
    # Not proven, and only a word for whoever sent it.
    ends = unproven(value)[1].get("exp")
    return "expired" if isinstance(ends, int) and ends <= time.time() else "malformed"
