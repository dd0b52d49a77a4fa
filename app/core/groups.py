"""From the groups that an identity provider names to ours. Pure."""

from collections.abc import Iterable, Mapping

from app.core.models.identity_provider import LOCAL
from app.core.models.scope import WILDCARD

COLLECTION = "group_mappings"
ADMINISTRATORS = "admins"
"""The group of the first administrator; a provider's group of that name is another, unless mapped to it."""
Mappings = Mapping[str, Iterable[str]]
"""`<provider>:<group>` → our groups; one that maps to none takes the group away."""


def mapping_id(provider: str, group: str) -> str:
    """The id of a group's document in the table."""
    return f"{provider}:{group}"


def mapped(provider: str, groups: Iterable[str], table: Mappings) -> list[str]:
    """What a provider's groups count as here, sorted.

    A group without a mapping keeps its name, so that scopes can name it; but nobody outside makes our
    administrators, or everybody, by naming a group so.
    """
    if provider == LOCAL:
        return sorted(set(groups))
    found: set[str] = set()
    for group in groups:
        ours = table.get(mapping_id(provider, group))
        if ours is not None:
            found.update(ours)
        elif group not in {ADMINISTRATORS, WILDCARD}:
            found.add(group)
    return sorted(found - {WILDCARD})
