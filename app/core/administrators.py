"""Who may change scopes on everything, and so whatever else. Pure."""

from collections.abc import Iterable

from app.core.groups import Mappings, mapped
from app.core.models.scope import WILDCARD, Scope
from app.core.policy import expand

ACTION = "scopes:write"


def administering(scopes: Iterable[Scope]) -> frozenset[str]:
    """The groups that these scopes make administrators; `*` among them for everybody."""
    return frozenset(
        group for scope in scopes for group in scope.groups if expand([group], [scope]).may(ACTION)
    )


def administrates(provider: str, groups: Iterable[str], mappings: Mappings, makers: frozenset[str]) -> bool:
    """Whether somebody whom a provider puts in `groups` is in one of the groups that `makers` names."""
    return WILDCARD in makers or not makers.isdisjoint(mapped(provider, groups, mappings))
