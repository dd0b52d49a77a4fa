"""Who calls the API, as the gateway vouches for it: for the registry and for what of `/api` is auth's."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.core import identity
from app.core.identity import IDENTITY_HEADER, Identity
from app.core.keys import InvalidToken, SigningKeys, UnknownKey
from app.core.models import Scope
from app.core.policy import Grants, expand
from app.core.problems import Problem


@dataclass(frozen=True)
class Caller:
    """Who calls, as the gateway vouches for it, and what the scopes of this moment allow."""

    identity: Identity
    grants: Grants

    def require(self, action: str, server: str = "*") -> None:
        """Raise a 403 problem unless the registry action is allowed on that server (`*`: on all)."""
        if not self.grants.may(action, server):
            where = "" if server == "*" else f" on the server {server}"
            detail = f"no scope of yours allows {action}{where}; ask whoever manages scopes"
            raise Problem(403, "forbidden", "You may not do this", detail)

    def require_on_agent(self, action: str, agent: str = "*") -> None:
        """Raise a 403 problem unless the registry action is allowed on that agent (`*`: on all)."""
        if not self.grants.may_on_agent(action, agent):
            detail = f"no scope of yours allows {action} on the agent {agent}; ask whoever manages scopes"
            raise Problem(403, "forbidden", "You may not do this", detail)


async def authenticate(
    tokens: list[str], keys: SigningKeys, issuer: str, scopes: Callable[[], Awaitable[Sequence[Scope]]]
) -> Caller:
    """The caller that the values of the request's `Gatepost-Identity` header name; nothing else is trusted.

    `scopes` tells all scope documents of this moment. Raises a 401 problem unless there is exactly one value,
    signed by auth and still alive.
    """
    if len(tokens) != 1:
        raise _unauthorized(f"the request must carry one {IDENTITY_HEADER} header, which the gateway sets")
    try:
        known = await _read(tokens[0], keys, issuer)
    except InvalidToken as error:
        raise _unauthorized(f"the identity was refused: {error}") from None
    return Caller(known, expand(known.groups, await scopes(), known.scopes))


async def _read(token: str, keys: SigningKeys, issuer: str) -> Identity:
    try:
        return identity.read(keys, token, issuer)
    except UnknownKey:
        await keys.refresh()
        return identity.read(keys, token, issuer)


def _unauthorized(detail: str) -> Problem:
    title = "It is not known who calls"
    return Problem(401, "unauthorized", title, detail, headers={"WWW-Authenticate": "Bearer"})
