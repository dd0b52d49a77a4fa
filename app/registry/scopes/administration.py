"""Changes that may take administration from somebody: one at a time, and never from the last one."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from app.core.administrators import administering, administrates
from app.core.groups import Mappings, mapping_id
from app.core.models import Scope
from app.core.problems import Problem
from app.core.store import Store
from app.core.store.lease import LeaseLost, LeaseTaken, lease
from app.registry.group_mappings.repository import MappingRepository
from app.registry.people.repository import PeopleRepository
from app.registry.scopes.cache import ScopeCache

LEASE = "administration"
LEASE_S = 5.0


@dataclass(frozen=True)
class Policy:
    """What says who administrates."""

    scopes: Sequence[Scope]
    mappings: Mappings

    def with_scope(self, before: Scope, after: Scope | None) -> "Policy":
        """The policy once a scope is replaced, or taken away."""
        rest = [scope for scope in self.scopes if scope.name != before.name]
        return replace(self, scopes=[*rest, after] if after else rest)

    def with_mapping(self, provider: str, group: str, groups: Collection[str] | None) -> "Policy":
        """The policy once a group is mapped, or keeps its name."""
        id = mapping_id(provider, group)
        rest = {name: ours for name, ours in self.mappings.items() if name != id}
        return replace(self, mappings=rest | ({id: groups} if groups is not None else {}))


class Administration:
    """Watches over changes of scopes and group mappings, for all registries on one store.

    Only people of `providers`, those that can log in, count. Where there is no administrator before, any
    change is let through: it may be what makes one.
    """

    def __init__(self, store: Store, scopes: ScopeCache, providers: Collection[str]) -> None:
        self._store = store
        self._scopes = scopes
        self._providers = frozenset(providers)

    @asynccontextmanager
    async def of_scope(self, before: Scope, after: Scope | None) -> AsyncIterator[None]:
        """Replace a scope, or take it away, in this block. Raises a 409 problem."""
        if administering([before]) <= administering([after] if after else []):
            yield  # nobody loses by it
            return
        async with self._one_at_a_time(lambda policy: policy.with_scope(before, after)):
            yield

    @asynccontextmanager
    async def of_mapping(
        self, provider: str, group: str, groups: Collection[str] | None
    ) -> AsyncIterator[None]:
        """Map a group, or let it keep its name, in this block. Raises a 409 problem."""
        async with self._one_at_a_time(lambda policy: policy.with_mapping(provider, group, groups)):
            yield

    @asynccontextmanager
    async def _one_at_a_time(self, change: Callable[[Policy], Policy]) -> AsyncIterator[None]:
        try:
            async with lease(self._store, LEASE, LEASE_S, wait_s=2 * LEASE_S):
                now = Policy(await self._scopes.current(), await MappingRepository(self._store).table())
                if await self._loses_the_last(now, change(now)):
                    raise _last_administrator()
                yield
        except (LeaseTaken, LeaseLost) as error:
            detail = "many change scopes or group mappings at this moment; repeat the request"
            raise Problem(503, "busy", "It cannot be changed right now", detail) from error

    async def _loses_the_last(self, before: Policy, after: Policy) -> bool:
        made_before, made_after = (administering(policy.scopes) for policy in (before, after))
        had_one = False
        async for person in PeopleRepository(self._store).all():
            if person.provider in self._providers:
                who = (person.provider, person.groups)
                if administrates(*who, after.mappings, made_after):
                    return False
                had_one = had_one or administrates(*who, before.mappings, made_before)
        return had_one


def _last_administrator() -> Problem:
    detail = (
        "nobody who logged in here could change scopes any more; first let somebody else, by a scope with "
        "scopes:write on all servers for one of their groups, and see that they have it: "
        "gatepost scope explain --subject SUBJECT --registry scopes:write"
    )
    return Problem(409, "last-administrator", "It would lock out the last administrator", detail)
