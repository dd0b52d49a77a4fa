"""What stops a call although scopes allow it."""

import asyncio

from app.core.models import AgentEntry, ServerEntry, ToolKind, ToolState
from app.core.policy import NAMED_METHODS, REGISTRY
from app.core.policy_questions import OnAgent, OnServer, Question, is_known
from app.core.store import Store
from app.registry.agents.repository import AgentRepository
from app.registry.scopes.answers import Reason
from app.registry.servers.repository import ServerRepository
from app.registry.tools.repository import ToolRepository


async def obstacles(store: Store, question: Question) -> list[Reason]:
    """What an administrator would have to mend besides scopes, the first first; as the gateway refuses it."""
    match question:
        case OnServer():
            return await _at_server(store, question)
        case OnAgent():
            return await _at_agent(store, question)
        case _:
            return []


async def _at_server(store: Store, question: OnServer) -> list[Reason]:
    if not is_known(question.method):
        return [
            _reason("unknown_method", f"the gateway knows no method {question.method}; no scope allows it")
        ]
    if question.server == REGISTRY:
        return []
    document = await ServerRepository(store).find(question.server)
    if document is None:
        return [_reason("server", f"no server has the slug {question.server}")]
    entry = ServerEntry.model_validate(document.body)
    if not entry.settings.enabled:
        return [_reason("disabled", f"{question.server} is disabled; an administrator can enable it")]
    if entry.url is None:
        return [_reason("stdio_only", f"{question.server} has no HTTP endpoint; the gateway cannot call it")]
    return await _of_name(store, question)


async def _of_name(store: Store, question: OnServer) -> list[Reason]:
    if question.name is None:
        return []
    kind = ToolKind(NAMED_METHODS[question.method][:-1])
    kinds = [kind, ToolKind.TEMPLATE] if kind is ToolKind.RESOURCE else [kind]
    tools = ToolRepository(store)
    found = await asyncio.gather(*(tools.find(question.server, each, question.name) for each in kinds))
    states = {document.body["state"] for document in found if document} - {ToolState.ACTIVE}
    return [
        _reason("blocked", f"the {kind} {question.name} is {state}; an administrator can unblock it")
        for state in sorted(states)
    ]


async def _at_agent(store: Store, question: OnAgent) -> list[Reason]:
    slug = question.agent
    document = await AgentRepository(store).find(slug)
    if document is None:
        return [_reason("agent", f"no agent has the slug {slug}")]
    if question.action == "read":  # its card is the registry's, whatever state it is in
        return []
    entry = AgentEntry.model_validate(document.body)
    if not entry.settings.enabled:
        return [_reason("disabled", f"{slug} is disabled; an administrator can enable it")]
    if not entry.interfaces:
        return [_reason("no_interface", f"{slug} has no interface that the gateway carries")]
    return []


def _reason(rule: str, detail: str) -> Reason:
    return Reason(rule=rule, detail=detail)
