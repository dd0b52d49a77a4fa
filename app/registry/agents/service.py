from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.core.caller import Caller
from app.core.etag import Precondition
from app.core.models import AgentEntry, AgentSettings, Upstream
from app.core.models.agent import BINDINGS, META_KEY, credential_id, declared
from app.core.problems import Problem
from app.core.ssrf import UpstreamRefused, UpstreamUnresolved, resolve
from app.core.store import Conflict, Document
from app.registry.agents import document as agent_card
from app.registry.agents.card import Uncarriable, canonical, served
from app.registry.agents.fetch import Unfetched, public_card
from app.registry.agents.repository import AgentRepository
from app.registry.agents.signatures import warnings
from app.registry.credentials.vault import CredentialVault
from app.registry.services import Services

CREDENTIAL_REMOVED = "the credential was removed: it was for the old addresses; set it again for the new ones"


async def visible(services: Services, caller: Caller, slug: str) -> Document:
    """An agent that the caller may see. Raises the same 404 problem for one that is not there."""
    found = await AgentRepository(services.store).find(slug) if caller.grants.sees_agent(slug) else None
    if found is None:
        raise Problem(
            404, "no-such-agent", "There is no such agent", f"no agent that you may see has the slug {slug}"
        )
    return found


async def writable(services: Services, caller: Caller, slug: str) -> Document:
    """An agent that the caller may change. Raises a 404 or 403 problem."""
    found = await visible(services, caller, slug)
    caller.require_on_agent("agents:write", slug)
    return found


async def create(services: Services, caller: Caller, body: Mapping[str, Any]) -> tuple[Document, list[str]]:
    """Register an agent from its card or from `{"url": …}`, and say what to know about it.

    Raises 403, 409, 422 and 502 problems.
    """
    card, settings = agent_card.read(await _with_card(services, caller, body))
    caller.require_on_agent("agents:write", settings.slug)
    entry = _entry(card, settings)
    await _check(services, entry)
    agents = AgentRepository(services.store)
    if await agents.find(settings.slug) is not None:
        raise _taken(settings.slug)
    await _vault(services).remove(credential_id(settings.slug))  # left by a deletion that was cut short
    try:
        document = await agents.create(entry)
    except Conflict:
        raise _taken(settings.slug) from None
    return document, await warnings(services.settings, card)


async def replace(
    services: Services, caller: Caller, slug: str, body: Mapping[str, Any], condition: Precondition
) -> tuple[Document, list[str]]:
    """Replace an agent's card and our part. Raises 403, 404, 412, 422 and 502 problems.

    A credential is for the origins it was given for: it does not follow the agent to others.
    """
    before = await writable(services, caller, slug)
    revision = condition.check(before)
    card, settings = agent_card.read(_with_slug(await _with_card(services, caller, body), slug))
    if settings.slug != slug:
        detail = f"{settings.slug} is not {slug}; a slug stays, so add a new agent and delete this one"
        raise agent_card.invalid([(f"_meta.{META_KEY}.slug", detail)])
    old = AgentEntry.model_validate(before.body)
    new = _entry(card, settings, old.created_at)
    await _check(services, new)
    moved = not _origins(new) <= _origins(old) and await _vault(services).remove(credential_id(slug))
    document = await AgentRepository(services.store).replace(new, revision)
    said = await warnings(services.settings, card)
    return document, [CREDENTIAL_REMOVED, *said] if moved else said


async def delete(services: Services, caller: Caller, slug: str, condition: Precondition) -> None:
    """Take an agent away, with its credential. Raises 403, 404 and 412 problems."""
    revision = condition.check(await writable(services, caller, slug))
    await AgentRepository(services.store).delete(slug, revision)
    await _vault(services).remove(credential_id(slug))


async def _with_card(services: Services, caller: Caller, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body, with the card that it names by URL in it."""
    if not body.keys() <= {"url", "_meta"} or not isinstance(body.get("url"), str):
        return body
    if not any({"agents:write", "*"} & actions for actions in caller.grants.registry_agents.values()):
        caller.require_on_agent("agents:write")  # who may register nothing lets the registry fetch nothing
    try:
        Upstream.from_url(body["url"])
        card = await public_card(services.settings, body["url"])
    except ValueError as error:
        raise agent_card.invalid([("url", str(error))]) from None
    except UpstreamRefused as error:
        raise _refused(error) from None
    except Unfetched as error:
        detail = f"{error}; give the card itself as the body where it cannot be fetched"
        raise Problem(502, "card-not-fetched", "The agent's card could not be fetched", detail) from None
    if not isinstance(card, dict):
        raise agent_card.invalid([("url", "what is there is no JSON object")])
    meta = card.get("_meta") if isinstance(card.get("_meta"), dict) else {}
    # Our part is the word of whoever registers, never of the agent.
    theirs = {name: value for name, value in (meta or {}).items() if name != META_KEY}
    given = body.get("_meta", {})
    return {**card, "_meta": {**theirs, **given} if isinstance(given, dict) else given}


def _with_slug(body: Mapping[str, Any], slug: str) -> Mapping[str, Any]:
    meta = body.get("_meta", {})
    part = meta.get(META_KEY, {}) if isinstance(meta, dict) else None
    return {**body, "_meta": {**meta, META_KEY: {"slug": slug, **part}}} if isinstance(part, dict) else body


async def _check(services: Services, entry: AgentEntry) -> None:
    try:
        canonical(served(entry, entry.card, services.settings.public_url))
    except Uncarriable as error:
        raise agent_card.invalid([("body", str(error))]) from None
    for upstream in _upstreams(entry):
        try:
            await resolve(upstream.hostname, upstream.port, services.settings.upstream_networks)
        except UpstreamUnresolved:
            continue  # a name may get its address later; a call says so until then
        except UpstreamRefused as error:
            raise _refused(error) from None


def _upstreams(entry: AgentEntry) -> list[Upstream]:
    """All that the gateway may ever connect to; what it does not carry, such as gRPC, it never contacts."""
    return [Upstream.from_url(place.url) for place in declared(entry.card) if place.binding in BINDINGS]


def _origins(entry: AgentEntry) -> set[tuple[str, str, int]]:
    upstreams = [Upstream.from_url(interface.url) for interface in entry.interfaces.values()]
    return {(upstream.scheme, upstream.hostname, upstream.port) for upstream in upstreams}


def _entry(card: dict[str, Any], settings: AgentSettings, created_at: str | None = None) -> AgentEntry:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return AgentEntry(card=card, settings=settings, created_at=created_at or now, updated_at=now)


def _vault(services: Services) -> CredentialVault:
    return CredentialVault(services.store, services.sealer)


def _refused(error: UpstreamRefused) -> Problem:
    return Problem(422, "upstream-refused", "Gatepost does not connect there", str(error))


def _taken(slug: str) -> Problem:
    detail = f"an agent with the slug {slug} is there already; give another one in _meta, or replace that one"
    return Problem(409, "slug-taken", "The slug is taken", detail, slug=slug)
