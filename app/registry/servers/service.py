from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.core.caller import Caller
from app.core.etag import Precondition
from app.core.models import ServerEntry, ServerSettings, Upstream
from app.core.problems import Problem
from app.core.ssrf import UpstreamRefused, UpstreamUnresolved, resolve
from app.core.store import Conflict, Document
from app.registry.credentials.vault import CredentialVault
from app.registry.discovery.health import HealthRepository
from app.registry.servers import document as server_json
from app.registry.servers.repository import ServerRepository
from app.registry.servers.schemas import ServerAnswer
from app.registry.services import Services

CREDENTIAL_REMOVED = "the credential was removed: it was for the old address; set it again for the new one"


async def visible(services: Services, caller: Caller, slug: str) -> Document:
    """A server that the caller may see. Raises the same 404 problem for one that is not there."""
    found = await ServerRepository(services.store).find(slug) if caller.grants.sees(slug) else None
    if found is None:
        detail = f"no server that you may see has the slug {slug}"
        raise Problem(404, "no-such-server", "There is no such server", detail)
    return found


async def writable(services: Services, caller: Caller, slug: str) -> Document:
    """A server that the caller may change. Raises a 404 or 403 problem."""
    found = await visible(services, caller, slug)
    caller.require("servers:write", slug)
    return found


async def page(
    services: Services, caller: Caller, limit: int, cursor: str | None
) -> tuple[list[ServerAnswer], str | None]:
    """A page of the servers that the caller may see, with their health, and the next page's cursor."""
    await services.follower.catch_up()
    return services.servers.page(caller.grants, limit, cursor)


async def answer(services: Services, document: Document, warnings: Sequence[str] = ()) -> ServerAnswer:
    """A server with its health, and what to know about the change that was just made."""
    health = await HealthRepository(services.store).of(document.id)
    return ServerAnswer.of(services.settings, document, health, warnings)


async def create(services: Services, caller: Caller, body: Mapping[str, Any]) -> Document:
    """Register a server and look at it in the background. Raises 403, 409 and 422 problems."""
    official, settings = server_json.read(body)
    caller.require("servers:write", settings.slug)
    entry = _entry(official, settings)
    await _check_upstream(services, entry)
    servers = ServerRepository(services.store)
    if await servers.find(settings.slug) is not None:
        raise _taken(settings.slug)
    await _forget(services, settings.slug)  # leftovers of one whose deletion was cut short
    try:
        document = await servers.create(entry)
    except Conflict:
        raise _taken(settings.slug) from None
    services.discovery.start(settings.slug)
    return document


async def replace(
    services: Services, caller: Caller, slug: str, body: Mapping[str, Any], condition: Precondition
) -> tuple[Document, list[str]]:
    """Replace a server's document, and say what to know about it. Raises 403, 404, 412 and 422 problems.

    A credential is for the origin it was given for: it does not follow the server to another one.
    """
    before = await writable(services, caller, slug)
    revision = condition.check(before)
    old = ServerEntry.model_validate(before.body)
    new = _entry(*server_json.read(body, slug), created_at=old.created_at)
    await _check_upstream(services, new)
    vault = CredentialVault(services.store, services.sealer)
    moved = _origin(old) != _origin(new) and await vault.remove(slug)
    document = await ServerRepository(services.store).replace(new, revision)
    services.discovery.start(slug)
    return document, [CREDENTIAL_REMOVED] if moved else []


async def set_enabled(
    services: Services, caller: Caller, slug: str, enabled: bool, condition: Precondition
) -> Document:
    """Let calls through, or refuse them all. Raises 403, 404 and 412 problems."""
    before = await writable(services, caller, slug)
    revision = condition.check(before)
    entry = ServerEntry.model_validate(before.body)
    settings = entry.settings.model_copy(update={"enabled": enabled})
    changed = _entry(entry.document, settings, created_at=entry.created_at)
    return await ServerRepository(services.store).replace(changed, revision)


async def delete(services: Services, caller: Caller, slug: str, condition: Precondition) -> None:
    """Take a server away, with its credential, tools and health. Raises 403, 404 and 412 problems."""
    revision = condition.check(await writable(services, caller, slug))
    await ServerRepository(services.store).delete(slug, revision)
    await _forget(services, slug)


async def _forget(services: Services, slug: str) -> None:
    await CredentialVault(services.store, services.sealer).remove(slug)
    await services.discovery.forget(slug)


async def _check_upstream(services: Services, entry: ServerEntry) -> None:
    if entry.url is None:
        return
    upstream = Upstream.from_url(entry.url)
    try:
        await resolve(upstream.hostname, upstream.port, services.settings.upstream_networks)
    except UpstreamUnresolved:
        return  # a name may get its address later; until then its health says so
    except UpstreamRefused as error:
        raise Problem(422, "upstream-refused", "Gatepost does not connect there", str(error)) from None


def _entry(document: dict[str, Any], settings: ServerSettings, created_at: str | None = None) -> ServerEntry:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return ServerEntry(document=document, settings=settings, created_at=created_at or now, updated_at=now)


def _origin(entry: ServerEntry) -> tuple[str, str, int] | None:
    if entry.url is None:
        return None
    upstream = Upstream.from_url(entry.url)
    return upstream.scheme, upstream.hostname, upstream.port


def _taken(slug: str) -> Problem:
    detail = f"a server with the slug {slug} is there already; give another one in _meta, or replace that one"
    return Problem(409, "slug-taken", "The slug is taken", detail, slug=slug)
