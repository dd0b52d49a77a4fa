"""Whether the service account that administers a Keycloak realm may look at it; nothing is changed there."""

from anyio import to_thread

from app.auth.identities.account import RealmError
from app.auth.identities.realm import Realm
from app.auth.idps.schemas import Step, failed, ok
from app.core.models.identity_provider import OidcProviderConfig
from app.core.settings import Settings

_STEP = "administration"


async def check_administration(settings: Settings, config: OidcProviderConfig) -> Step:
    """What the realm answers to the service account; the rights to change it show with the first change."""
    try:
        realm = Realm(config, settings)
        await to_thread.run_sync(lambda: realm.users("", 0, 1))
        groups = await to_thread.run_sync(realm.groups)
    except RealmError as error:
        fix = "correct administration in the block, or the roles of its service account at Keycloak"
        return failed(_STEP, str(error), fix)
    return ok(_STEP, f"the service account sees the realm's users and its {len(groups)} groups")
