"""What may be asked about a caller's rights, one thing at a time. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from app.core.models.scope import WILDCARD, RegistryGrant, Scope
from app.core.policy import IMPLIED_METHODS, METHODS, NAMED_METHODS, Grants

_SHOWN = 8
"""Names in a sentence; a grant may have thousands."""


@dataclass(frozen=True)
class Lack:
    """One thing for want of which a scope does not allow what was asked."""

    rule: str
    detail: str


class Question(Protocol):
    """One thing that somebody may want to do."""

    def allowed_by(self, grants: Grants) -> bool:
        """Whether these grants allow it."""
        ...

    def lack(self, scope: Scope) -> Lack | None:
        """What a scope that does not allow it would have to name; None where it is about something else."""
        ...


@dataclass(frozen=True)
class OnServer:
    """A method of an MCP server and, where the method names something, a tool, prompt or resource."""

    server: str
    method: str
    name: str | None = None

    def allowed_by(self, grants: Grants) -> bool:
        """As the gateway decides: see `policy.IMPLIED_METHODS`."""
        rights = grants.on_server(self.server)
        if is_implied(self.method):
            return bool(rights)
        names = rights.get(self.method)
        return names is not None and (self.name is None or not names.isdisjoint({self.name, WILDCARD}))

    def lack(self, scope: Scope) -> Lack | None:
        """The name, if a grant on the server has the method; the method otherwise."""
        grants = [grant for grant in scope.servers if grant.server in {self.server, WILDCARD}]
        having = [grant for grant in grants if not {self.method, WILDCARD}.isdisjoint(grant.methods)]
        if not grants or not is_known(self.method):
            return None
        member = NAMED_METHODS.get(self.method)
        if not having or member is None:
            return Lack("method", _only("methods", (g.methods for g in grants), self.method))
        return Lack(member[:-1], _only(member, (getattr(g, member) for g in having), self.name or ""))


@dataclass(frozen=True)
class OnAgent:
    """An action on an agent, `read` or `invoke`."""

    agent: str
    action: str

    def allowed_by(self, grants: Grants) -> bool:
        """Whether an agent grant has the action."""
        return self.action in grants.on_agent(self.agent)

    def lack(self, scope: Scope) -> Lack | None:
        """The action, if the scope is about the agent."""
        grants = [grant for grant in scope.agents if grant.agent in {self.agent, WILDCARD}]
        return Lack("action", _only("actions", (g.actions for g in grants), self.action)) if grants else None


@dataclass(frozen=True)
class AtRegistry:
    """An action at the registry's API such as `servers:read`, on one server or agent, or on all servers."""

    action: str
    server: str = WILDCARD
    agent: str | None = None

    def allowed_by(self, grants: Grants) -> bool:
        """Whether a registry grant has the action there."""
        if self.agent is not None:
            return grants.may_on_agent(self.action, self.agent)
        return grants.may(self.action, self.server)

    def lack(self, scope: Scope) -> Lack | None:
        """The place, if a grant has the action; the action, if one is about the place."""
        member = "servers" if self.agent is None else "agents"
        place = self.server if self.agent is None else self.agent
        having = [grant for grant in scope.registry if not {self.action, WILDCARD}.isdisjoint(grant.actions)]
        if having:
            missing = f"all {member}" if place == WILDCARD else place
            return Lack(member[:-1], _only(member, (_places(g, member) for g in having), missing))
        there = [g for g in scope.registry if not {place, WILDCARD}.isdisjoint(_places(g, member))]
        return Lack("action", _only("actions", (g.actions for g in there), self.action)) if there else None


def is_implied(method: str) -> bool:
    """Whether any grant on a server brings the method with it."""
    return method in IMPLIED_METHODS or method.startswith("notifications/")


def is_known(method: str) -> bool:
    """Whether a scope can allow the method at all."""
    return method in METHODS or is_implied(method)


def listed(member: str, names: Iterable[str]) -> str:
    """`the tools a, b`, `no tools`, or the first few and how many more."""
    ordered = sorted(names)
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return f"the {member} {', '.join(ordered[:_SHOWN])}{more}" if ordered else f"no {member}"


def _places(grant: RegistryGrant, member: str) -> list[str]:
    return grant.servers if member == "servers" else grant.agents


def _only(member: str, named: Iterable[Iterable[str]], missing: str) -> str:
    return f"it names {listed(member, {name for names in named for name in names})}, not {missing}"
