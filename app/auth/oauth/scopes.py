"""OAuth scope values: names of scope documents, which narrow what a person may do. Pure."""

from collections.abc import Collection, Iterable, Sequence

from app.auth.oauth.errors import OAuthError
from app.auth.oauth.resources import reaches
from app.core.models import Scope
from app.core.policy import expand

NEUTRAL = frozenset({"offline_access", "openid", "profile", "email"})
"""What clients ask for by habit; accepted, and narrows nothing."""


def requested(scope: str | None, known: Iterable[Scope]) -> list[str] | None:
    """The scopes that a request names, sorted; None where it names none and so narrows nothing.

    Unknown ones are left out. Raises OAuthError `invalid_scope` where none of those named is known.
    """
    names = set((scope or "").split(" ")) - NEUTRAL - {""}
    if not names:
        return None
    found = names.intersection(one.name for one in known)
    if not found:
        raise OAuthError("invalid_scope", "none of the scopes that the request names is known here")
    return sorted(found)


def narrowed(granted: Collection[str] | None, wanted: list[str] | None) -> list[str] | None:
    """`wanted`, which must lie within `granted`; all of that where nothing is wanted.

    Raises OAuthError `invalid_scope`.
    """
    if wanted is None:
        return None if granted is None else sorted(granted)
    if granted is not None and not set(wanted) <= set(granted):
        raise OAuthError("invalid_scope", "scope names more than was granted")
    return wanted


def within(wanted: Collection[str] | None, given: Collection[str] | None) -> bool:
    """Whether what is wanted was given before."""
    return given is None or (wanted is not None and set(wanted) <= set(given))


def offered(
    groups: Sequence[str], known: Iterable[Scope], path: str, wanted: list[str] | None
) -> list[Scope]:
    """The scopes of somebody in these groups that reach a resource, of those wanted, by name."""
    found = (one for one in known if wanted is None or one.name in wanted)
    return sorted((one for one in found if reaches(expand(groups, [one]), path)), key=lambda one: one.name)
