from collections.abc import Collection, Iterable

from app.core.etag import Precondition
from app.core.models import Scope
from app.core.models.identity_provider import LOCAL
from app.core.problems import Problem
from app.core.store import Document
from app.registry.group_mappings.repository import MappingRepository
from app.registry.group_mappings.schemas import GroupMapping
from app.registry.scopes.administration import Administration


async def found(mappings: MappingRepository, provider: str, group: str) -> Document:
    """The mapping's document. Raises a 404 problem."""
    document = await mappings.find(provider, group)
    if document is None:
        detail = f"the group {group} of {provider} is not mapped, so it keeps its name"
        raise Problem(404, "no-such-mapping", "There is no such mapping", detail)
    return document


async def save(
    mappings: MappingRepository,
    administration: Administration,
    mapping: GroupMapping,
    condition: Precondition,
) -> Document:
    """Add or replace. Raises 412 and 422 problems, and a 409 problem where no administrator would be left."""
    if mapping.provider == LOCAL:
        detail = "groups of the built-in provider are ours already; name them in scopes"
        raise Problem(422, "invalid-mapping", "Local groups are not mapped", detail)
    known = await mappings.find(mapping.provider, mapping.group)
    expected = condition.absent() if known is None else condition.check(known)
    async with administration.of_mapping(mapping.provider, mapping.group, mapping.groups):
        return await mappings.save(mapping, expected)


async def delete(
    mappings: MappingRepository,
    administration: Administration,
    provider: str,
    group: str,
    condition: Precondition,
) -> None:
    """Raises 404 and 412 problems, and a 409 problem where no administrator would be left."""
    document = await found(mappings, provider, group)
    expected = condition.check(document)
    async with administration.of_mapping(provider, group, None):
        await mappings.delete(document, expected)


def warnings(mapping: GroupMapping, providers: Collection[str], scopes: Iterable[Scope]) -> list[str]:
    """What of a mapping has no effect for now: allowed, since it may come, and often a slip."""
    named = {group for scope in scopes for group in scope.groups}
    return [
        *(
            [f"no identity provider is called {mapping.provider}; there are {', '.join(sorted(providers))}"]
            if mapping.provider not in providers
            else []
        ),
        *(f"no scope is for the group {group}" for group in mapping.groups if group not in named),
    ]
