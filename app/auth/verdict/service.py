"""The verdict: who calls, what they may do at one resource, and how the gateway gets there."""

import time
from dataclasses import replace

from app.auth.snapshot import Snapshot
from app.auth.verdict.caller import Caller
from app.auth.verdict.schemas import AgentPart, CallerPart, Verdict, Wider
from app.auth.verdict.upstream import BUILT_IN, Servers
from app.core.identity import Identity, issue
from app.core.keys import SigningKeys
from app.core.models import Scope
from app.core.models.scope import WILDCARD
from app.core.policy import expand
from app.core.settings import Settings


class Verdicts:
    """Decides for gateways. The snapshot must be as new as the `epoch` a verdict is given."""

    def __init__(self, settings: Settings, snapshot: Snapshot, servers: Servers, keys: SigningKeys) -> None:
        self._settings = settings
        self._snapshot = snapshot
        self._servers = servers
        self._keys = keys

    async def decide(self, caller: Caller, resource: str, epoch: int) -> Verdict:
        """The verdict on a caller at a resource; without rights it does not tell whether that exists."""
        now = time.time()
        scopes = self._snapshot.scopes
        rights = rights_at(resource, caller, scopes)
        wider = wider_at(resource, caller, scopes)
        server = await self._servers.part(resource, now) if rights or wider else None
        expires_at = life_end(caller, now, self._settings.verdict_ttl_s)
        # The registry serves agents' cards, whoever serves the rest.
        names_caller = isinstance(server, AgentPart) or (server is not None and server.identity)
        identity = self._identity(caller, scopes, expires_at) if names_caller else None
        part = CallerPart(
            subject=caller.subject,
            client=caller.client,
            principal=caller.subject,
            rights=rights if server else {},
            scopes=asked_for(caller) if wider and server else [],
            wider=wider if server else [],
            identity=identity,
            expires_at=expires_at,
        )
        return Verdict(epoch=epoch, caller=part, server=server)

    def _identity(self, caller: Caller, scopes: list[Scope], expires_at: int) -> str:
        mentioned = {group for scope in scopes for group in scope.groups}
        groups = sorted(mentioned.intersection(caller.groups))
        identity = Identity(caller.subject, caller.client, groups, caller.scopes, caller.token_ends)
        return issue(self._keys, identity, self._settings.public_url, expires_at)


def rights_at(resource: str, caller: Caller, scopes: list[Scope]) -> dict[str, list[str]]:
    """Method → sorted names; at an agent, action → all.

    At `/api` and `/ui` any valid caller may knock: the registry decides there.
    """
    if resource in BUILT_IN and not resource.startswith("/mcp/"):
        return {WILDCARD: [WILDCARD]}
    where, _, slug = resource.removeprefix("/").partition("/")
    grants = expand(caller.groups, scopes, caller.scopes)
    if where == "a2a":
        return {action: [WILDCARD] for action in sorted(grants.on_agent(slug))}
    rights = grants.on_server(slug) if where == "mcp" else {}
    return {method: sorted(names) for method, names in sorted(rights.items())}


def wider_at(resource: str, caller: Caller, scopes: list[Scope]) -> list[Wider]:
    """The scopes that the caller's client could ask for to do more at a server or an agent, by name."""
    if not caller.steps_up or caller.scopes is None or resource in {"/api", "/ui"}:
        return []
    others = sorted(
        (scope for scope in scopes if scope.name not in caller.scopes), key=lambda scope: scope.name
    )
    added = ((scope, rights_at(resource, replace(caller, scopes=[scope.name]), [scope])) for scope in others)
    return [Wider(scope=scope.name, rights=rights) for scope, rights in added if rights]


def asked_for(caller: Caller) -> list[str]:
    """The scopes to ask for again, so that nothing is lost with the next token."""
    return [*(caller.scopes or []), *(["offline_access"] if caller.refreshes else [])]


def life_end(caller: Caller, now: float, ttl_s: int) -> int:
    """When a verdict ends, in whole seconds since the epoch: after `ttl_s`, or with the credential."""
    return int(now + ttl_s if caller.expires_at is None else min(now + ttl_s, caller.expires_at))
