"""What the first start makes: an administrator, and the scopes that let people reach the registry."""

from app.auth.people.service import People
from app.auth.providers.local import USERS, add_administrator, person_of
from app.core.models import RegistryGrant, Scope, ServerGrant
from app.core.models.scope import WILDCARD
from app.core.policy import REGISTRY, affected_by_scope
from app.core.settings import Settings
from app.core.store import ABSENT, Conflict, Store

ALL = [WILDCARD]
SEEDED = "seeded_scopes"
SCOPES = (
    Scope(
        name="admins",
        description="Administrators: everything at the registry",
        groups=["admins"],
        servers=[ServerGrant(server=REGISTRY, methods=ALL, tools=ALL, prompts=ALL, resources=ALL)],
        registry=[RegistryGrant(actions=ALL, servers=ALL)],
    ),
    Scope(
        name="registry-users",
        description="Everybody with a valid credential: the registry's own MCP server",
        groups=ALL,
        servers=[ServerGrant(server=REGISTRY, methods=ALL, tools=ALL)],
    ),
)


class StartupError(Exception):
    """The auth server cannot start; the message names the reason and the fix."""


async def prepare(settings: Settings, store: Store) -> None:
    """Make the administrator and the first scopes where they are missing. Raises StartupError."""
    if not settings.secret("gateway_secret"):
        raise StartupError(
            "there is no gateway secret; set GATEPOST_GATEWAY_SECRET, the same as at the gateway"
        )
    await _administrator(settings, store)
    await _people(store)
    await _scopes(store)


async def _administrator(settings: Settings, store: Store) -> None:
    username = settings.admin_username
    if await store.get(USERS, username) is not None:
        return
    password = settings.secret("admin_password")
    if not password:
        raise StartupError(
            f"there is no administrator {username!r} yet; "
            "set GATEPOST_ADMIN_PASSWORD or GATEPOST_ADMIN_PASSWORD_FILE for this start"
        )
    await add_administrator(store, username, password)


async def _people(store: Store) -> None:
    people = People(store)
    for user in (await store.list(USERS, limit=1000)).items:
        await people.record(person_of(user))


async def _scopes(store: Store) -> None:
    if await store.get("meta", SEEDED) is not None:
        return
    for scope in SCOPES:
        try:
            body = scope.model_dump(mode="json")
            affects = affected_by_scope(None, scope)
            await store.commit("scopes", scope.name, body, expected=ABSENT, affects=affects)
        except Conflict:  # another process seeds at the same moment
            continue
    await store.put("meta", SEEDED, {"names": [scope.name for scope in SCOPES]})
