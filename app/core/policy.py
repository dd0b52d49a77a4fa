"""The one place that knows what a scope means; pure, used by auth (verdicts) and registry (visibility)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.core.models.scope import WILDCARD, AgentGrant, Scope, ServerGrant

REGISTRY = "registry"
"""The slug of the registry's own MCP server."""

NAMED_METHODS: Mapping[str, str] = {
    "tools/list": "tools",
    "tools/call": "tools",
    "prompts/list": "prompts",
    "prompts/get": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resources",
    "resources/read": "resources",
    "resources/subscribe": "resources",
    "resources/unsubscribe": "resources",
    "subscriptions/listen": "resources",
}
"""Methods whose reach is narrowed by names, and the member of a grant that holds them."""

PLAIN_METHODS = frozenset(
    {
        "completion/complete",
        "logging/setLevel",
        "tasks/get",
        "tasks/list",
        "tasks/result",
        "tasks/update",
        "tasks/cancel",
    }
)
METHODS = frozenset(NAMED_METHODS) | PLAIN_METHODS
AGENT_ACTIONS = frozenset({"read", "invoke"})
"""What a scope can allow on an agent: its cards, and everything else."""

IMPLIED_METHODS = frozenset({"initialize", "ping", "server/discover"})
"""What any grant on a server brings with it; notifications too."""

Rights = Mapping[str, frozenset[str]]
"""Method → names it reaches; `*` for all, or for a method that names nothing."""


@dataclass(frozen=True)
class Grants:
    """All that a caller may do; the union over scopes, each scope's methods with that scope's names only."""

    servers: Mapping[str, Rights] = field(default_factory=dict)
    agents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    registry: Mapping[str, frozenset[str]] = field(default_factory=dict)
    registry_agents: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def on_server(self, slug: str) -> Rights:
        """Rights on one server, those of `*` included; empty where nothing is allowed."""
        return _union(self.servers.get(slug, {}), self.servers.get(WILDCARD, {}))

    def may(self, action: str, server: str = WILDCARD) -> bool:
        """Whether a registry action such as `servers:read` is allowed on that server (`*`: on all)."""
        return any({action, WILDCARD} & self.registry.get(name, frozenset()) for name in {server, WILDCARD})

    def on_agent(self, slug: str) -> frozenset[str]:
        """Actions on one agent, those of `*` included; empty where nothing is allowed."""
        return self.agents.get(slug, frozenset()) | self.agents.get(WILDCARD, frozenset())

    def may_on_agent(self, action: str, agent: str = WILDCARD) -> bool:
        """Whether a registry action such as `agents:read` is allowed on that agent (`*`: on all)."""
        granted = (self.registry_agents.get(name, frozenset()) for name in {agent, WILDCARD})
        return any({action, WILDCARD} & actions for actions in granted)

    def sees_agent(self, slug: str) -> bool:
        """Whether an agent is visible: it may be used, or it may be read at the registry."""
        return bool(self.on_agent(slug)) or self.may_on_agent("agents:read", slug)

    def sees(self, slug: str) -> bool:
        """Whether a server is visible: something of it may be used, or it may be read at the registry."""
        return bool(self.on_server(slug)) or self.may("servers:read", slug)

    def may_call(self, slug: str, tool: str) -> bool:
        """Whether a tool of that server may be called."""
        names = self.on_server(slug).get("tools/call", frozenset())
        return tool in names or WILDCARD in names


def expand(
    groups: Iterable[str], scopes: Iterable[Scope], narrowed_to: Iterable[str] | None = None
) -> Grants:
    """What a caller in `groups` may do by these scope documents, narrowed to the scopes a token names.

    Every caller is in the group `*`. An unknown method in a scope grants nothing.
    """
    mine = {*groups, WILDCARD}
    allowed = None if narrowed_to is None else set(narrowed_to)
    servers: dict[str, Rights] = {}
    agents: dict[str, frozenset[str]] = {}
    registry: dict[str, frozenset[str]] = {}
    registry_agents: dict[str, frozenset[str]] = {}
    for scope in scopes:
        if mine.isdisjoint(scope.groups) or (allowed is not None and scope.name not in allowed):
            continue
        for grant in scope.servers:
            servers[grant.server] = _union(servers.get(grant.server, {}), _rights(grant))
        for agent in scope.agents:
            _add(agents, agent.agent, _agent_actions(agent))
        for entry in scope.registry:
            for name in entry.servers:
                _add(registry, name, frozenset(entry.actions))
            for name in entry.agents:
                _add(registry_agents, name, frozenset(entry.actions))
    return Grants(servers, agents, registry, registry_agents)


def _add(granted: dict[str, frozenset[str]], name: str, actions: frozenset[str]) -> None:
    granted[name] = granted.get(name, frozenset()) | actions


def _agent_actions(grant: AgentGrant) -> frozenset[str]:
    return AGENT_ACTIONS if WILDCARD in grant.actions else AGENT_ACTIONS.intersection(grant.actions)


def _rights(grant: ServerGrant) -> Rights:
    methods = METHODS if WILDCARD in grant.methods else METHODS.intersection(grant.methods)
    return {
        method: frozenset(getattr(grant, NAMED_METHODS[method]))
        if method in NAMED_METHODS
        else frozenset({WILDCARD})
        for method in methods
    }


def _union(left: Rights, right: Rights) -> Rights:
    return {
        method: left.get(method, frozenset()) | right.get(method, frozenset()) for method in {*left, *right}
    }


def affected_by_scope(before: Scope | None, after: Scope | None) -> frozenset[str]:
    """The resources whose verdicts a change of one scope document can alter, for `Store.commit(affects=…)`.

    Registry rights ride in the identity that the registry and `/api` receive, so those are always among them.
    """
    scopes = [scope for scope in (before, after) if scope]
    servers = {grant.server for scope in scopes for grant in scope.servers}
    agents = {grant.agent for scope in scopes for grant in scope.agents}
    if WILDCARD in servers | agents:
        return frozenset({WILDCARD})
    named = {f"/mcp/{slug}" for slug in servers} | {f"/a2a/{slug}" for slug in agents}
    return frozenset(named | {f"/mcp/{REGISTRY}", "/api", "/ui"})
