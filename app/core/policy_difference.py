"""What a change of scopes takes from a caller, or gives. Pure."""

from collections.abc import Callable, Mapping

from app.core.models.scope import WILDCARD
from app.core.policy import Grants, Rights

Names = frozenset[str]


def lost(before: Grants, after: Grants) -> Grants:
    """What `before` allows and `after` does not; what is gained is `lost(after, before)`.

    Where less than all is left of a `*`, it is lost as `*`.
    """
    return Grants(
        servers=_kept({slug: _less(r, after.on_server(slug)) for slug, r in before.servers.items()}),
        agents=_lost_actions(before.agents, after.on_agent),
        registry=_lost_actions(before.registry, lambda name: _with_all(after.registry, name)),
        registry_agents=_lost_actions(
            before.registry_agents, lambda name: _with_all(after.registry_agents, name)
        ),
    )


def _less(before: Rights, after: Rights) -> Rights:
    gone = {method: names for method, names in before.items() if method not in after}
    fewer = {method: _without(names, after[method]) for method, names in before.items() if method in after}
    return gone | {method: names for method, names in fewer.items() if names}


def _lost_actions(before: Mapping[str, Names], after: Callable[[str], Names]) -> dict[str, Names]:
    found = {name: _without(actions, after(name)) for name, actions in before.items()}
    return {name: actions for name, actions in found.items() if actions}


def _without(before: Names, after: Names) -> Names:
    return frozenset() if WILDCARD in after else before - after


def _with_all(granted: Mapping[str, Names], name: str) -> Names:
    return granted.get(name, frozenset()) | granted.get(WILDCARD, frozenset())


def _kept(servers: Mapping[str, Rights]) -> dict[str, Rights]:
    return {slug: rights for slug, rights in servers.items() if rights}
