from app.core.etag import Precondition
from app.core.models import Scope
from app.core.models.scope import WILDCARD
from app.core.policy import AGENT_ACTIONS, IMPLIED_METHODS, METHODS, REGISTRY
from app.core.problems import Problem
from app.core.store import Conflict, Document
from app.registry.scopes.administration import Administration
from app.registry.scopes.repository import ScopeRepository


async def found(scopes: ScopeRepository, name: str) -> Document:
    """The scope's document. Raises a 404 problem."""
    document = await scopes.find(name)
    if document is None:
        raise Problem(404, "no-such-scope", "There is no such scope", f"no scope is called {name}")
    return document


async def create(scopes: ScopeRepository, scope: Scope) -> Document:
    """Raises a 409 problem where the name is taken."""
    try:
        return await scopes.create(scope)
    except Conflict:
        detail = f"a scope is called {scope.name} already; choose another name, or replace that one"
        raise Problem(409, "scope-name-taken", "The name is taken", detail) from None


async def replace(
    scopes: ScopeRepository,
    administration: Administration,
    name: str,
    scope: Scope,
    condition: Precondition,
) -> Document:
    """Raises 404, 412 and 422 problems, and a 409 problem where no administrator would be left."""
    document = await found(scopes, name)
    if scope.name != name:
        detail = f"name: {scope.name} is not {name}; a scope keeps its name, since tokens name it"
        raise Problem(422, "invalid-scope", "A scope cannot be renamed", detail)
    before, expected = Scope.model_validate(document.body), condition.check(document)
    async with administration.of_scope(before, scope):
        return await scopes.replace(before, scope, expected)


async def delete(
    scopes: ScopeRepository, administration: Administration, name: str, condition: Precondition
) -> None:
    """Raises 404 and 412 problems, and a 409 problem where no administrator would be left."""
    document = await found(scopes, name)
    before, expected = Scope.model_validate(document.body), condition.check(document)
    async with administration.of_scope(before, None):
        await scopes.delete(before, expected)


async def warnings(scopes: ScopeRepository, scope: Scope) -> list[str]:
    """What a scope names that is not there: allowed, since it may come, and often a slip."""
    named = {grant.server for grant in scope.servers}
    named.update(slug for grant in scope.registry for slug in grant.servers)
    agents = {grant.agent for grant in scope.agents}
    agents.update(slug for grant in scope.registry for slug in grant.agents)
    missing = await scopes.missing_servers(sorted(named - {WILDCARD, REGISTRY}))
    missing_agents = await scopes.missing_agents(sorted(agents - {WILDCARD}))
    methods = {method for grant in scope.servers for method in grant.methods}
    actions = {action for grant in scope.agents for action in grant.actions}
    unknown = sorted(methods - METHODS - IMPLIED_METHODS - {WILDCARD})
    return [
        *(f"no server has the slug {slug}; the grant is in force once one has" for slug in missing),
        *(f"no agent has the slug {slug}; the grant is in force once one has" for slug in missing_agents),
        *(
            f"{action} is no action on an agent (read, invoke); it grants nothing"
            for action in sorted(actions - AGENT_ACTIONS - {WILDCARD})
        ),
        *(f"{method} is no method of MCP that can be allowed; it grants nothing" for method in unknown),
    ]
