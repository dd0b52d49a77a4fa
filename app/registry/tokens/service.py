from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from app.core.caller import Caller
from app.core.identity import Identity
from app.core.models import Scope, Token
from app.core.models.scope import WILDCARD
from app.core.problems import Problem
from app.registry.tokens.schemas import NewToken


def owner(caller: Caller, subject: str | None) -> str:
    """Whose tokens a request is about. Raises a 403 problem for another's without `tokens:write`."""
    if subject is None or subject == caller.identity.subject:
        return caller.identity.subject
    caller.require("tokens:write")
    return subject


PERSONAL = "token:"
"""What the name of a personal token as a client begins with, before its id."""


def maker(identity: Identity) -> str | None:
    """The id of the personal token that makes another; None for a person's session.

    Raises a 403 problem for any other token: it is for one resource, or can be taken back by whoever gave it,
    and a personal token would be good everywhere and stay.
    """
    if identity.client.startswith(PERSONAL):
        return identity.client.removeprefix(PERSONAL)
    if identity.token_ends is not None:
        detail = f"{identity.client} was not given that; log in, or use a personal token, to make one"
        raise Problem(403, "not-for-clients", "Programs make no personal tokens", detail)
    return None


def narrowed(identity: Identity, wanted: Sequence[str] | None, scopes: Iterable[Scope]) -> list[str] | None:
    """The scopes that a caller's new token is narrowed to; None for all that the caller may do.

    A token never reaches further than the one that makes it. Raises a 422 problem for names that are no
    scopes of the caller, and a 403 problem for scopes that the caller's own token leaves out.
    """
    if wanted is None:
        return identity.scopes
    groups = {*identity.groups, WILDCARD}
    mine = {scope.name for scope in scopes if not groups.isdisjoint(scope.groups)}
    if unknown := sorted(set(wanted) - mine):
        detail = f"scopes: you have no scope called {', '.join(unknown)}"
        raise Problem(422, "unknown-scope", "There is no such scope", detail, scopes=unknown)
    if identity.scopes is not None and (wider := sorted(set(wanted) - set(identity.scopes))):
        detail = (
            f"the token you use is not for {', '.join(wider)}; make this one with a wider token or a login"
        )
        raise Problem(403, "token-too-wide", "A token cannot make a wider one", detail, scopes=wider)
    return sorted(set(wanted))


def lasting(identity: Identity, new: NewToken, longest_days: int) -> datetime | None:
    """When a caller's new token ends: as wanted, but no later than the token that makes it.

    Raises a 422 problem for what is beyond the longest life of a token (0: there is none).
    """
    try:
        wanted = new.ends(longest_days)
    except ValueError as error:
        detail = f"{error}; give fewer expires_days, or have GATEPOST_TOKEN_MAX_DAYS raised"
        raise Problem(422, "token-lasts-too-long", "The token would last too long", detail) from None
    if identity.token_ends is None:
        return wanted
    own = datetime.fromtimestamp(identity.token_ends, UTC)
    return own if wanted is None else min(wanted, own)


def page(tokens: Iterable[Token], limit: int, cursor: str | None) -> tuple[Sequence[Token], str | None]:
    """A page of tokens, newest first, and the next page's cursor; a token made meanwhile moves no page."""
    rest = sorted(tokens, key=_place, reverse=True)
    if cursor is not None:
        rest = [token for token in rest if _place(token) < cursor]
    return rest[:limit], _place(rest[limit - 1]) if len(rest) > limit else None


def _place(token: Token) -> str:
    return f"{token.created_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{token.id}"
