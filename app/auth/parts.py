from collections.abc import Mapping
from dataclasses import dataclass

from app.auth.background import Background
from app.auth.clients.service import Clients
from app.auth.clients.throttle import Registrations
from app.auth.identities.service import Identities
from app.auth.login.failures import FailedLogins
from app.auth.oauth.access import AccessTokens
from app.auth.oauth.bearer import OAuthTokens
from app.auth.oauth.codes import Codes
from app.auth.oauth.consents import Consents
from app.auth.oauth.grants import Grants
from app.auth.oauth.holders import Holders
from app.auth.oauth.revocations import Revocations
from app.auth.people.service import People
from app.auth.providers.base import BrowserProvider
from app.auth.providers.catalogue import browser_providers
from app.auth.providers.local import LocalProvider
from app.auth.providers.tokens import ProviderTokens
from app.auth.sessions.following import Following
from app.auth.sessions.logins import Logins
from app.auth.sessions.renewal import Renewal
from app.auth.sessions.service import Sessions
from app.auth.snapshot import Snapshot
from app.auth.verdict.caller import Bearer, Callers
from app.auth.verdict.personal import PersonalTokens
from app.auth.verdict.service import Verdicts
from app.auth.verdict.upstream import Servers
from app.core.keys import SigningKeys
from app.core.models.identity_provider import LOCAL
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.store import Store
from app.core.tokens import TokenStore

DAY_S = 86_400


@dataclass(frozen=True, repr=False, eq=False)
class Parts:
    """What the endpoints work with; one set in a process, shared by both ports.

    `local` is the provider with a form on our own page, where it is configured; `providers` are the others.
    """

    settings: Settings
    store: Store
    sealer: Sealer
    keys: SigningKeys
    local: LocalProvider | None
    providers: Mapping[str, BrowserProvider]
    provider_tokens: ProviderTokens
    people: People
    renewal: Renewal
    logins: Logins
    sessions: Sessions
    failures: FailedLogins
    snapshot: Snapshot
    callers: Callers
    verdicts: Verdicts
    background: Background
    identities: Identities
    clients: Clients
    registrations: Registrations
    codes: Codes
    consents: Consents
    grants: Grants
    access_tokens: AccessTokens
    revocations: Revocations
    holders: Holders


async def assemble(settings: Settings, store: Store) -> Parts:
    """Put the parts together on an open store. Raises StoreError, SealError."""
    sealer = Sealer.from_settings(settings)
    keys = await SigningKeys.load(store, sealer)
    snapshot = Snapshot(store)
    people = People(store)
    sessions = Sessions(store, settings.session_idle_minutes * 60, settings.session_hours * 3600)
    background = Background()
    has_local = any(provider.type == LOCAL for provider in settings.providers)
    local = await LocalProvider.open(store) if has_local else None
    providers = browser_providers(settings, background)
    provider_tokens = ProviderTokens(providers, snapshot)
    refresh_life_s = settings.refresh_token_days * DAY_S
    logins = Logins(store, sealer, refresh_life_s)
    clients = Clients(settings, store)
    access_tokens = AccessTokens(keys, settings.public_url, settings.access_token_ttl_s)
    grants = Grants(store, settings.access_token_ttl_s, refresh_life_s)
    revocations = Revocations(store)
    holders = Holders(
        tokens=access_tokens,
        revocations=revocations,
        grants=grants,
        clients=clients,
        people=people,
        snapshot=snapshot,
    )
    renewal = Renewal(
        store,
        logins=logins,
        people=people,
        local=local,
        providers=providers,
        life_s=settings.session_hours * 3600,
    )
    following = Following(sessions, logins, renewal)
    bearers: list[Bearer] = [
        PersonalTokens(TokenStore(store), people, snapshot, background=background, following=following),
        OAuthTokens(access_tokens, holders),
        provider_tokens,
    ]
    return Parts(
        settings=settings,
        store=store,
        sealer=sealer,
        keys=keys,
        local=local,
        providers=providers,
        provider_tokens=provider_tokens,
        people=people,
        renewal=renewal,
        logins=logins,
        sessions=sessions,
        failures=FailedLogins(),
        snapshot=snapshot,
        callers=Callers(bearers, sessions, people, snapshot, background=background, following=following),
        verdicts=Verdicts(settings, snapshot, Servers(settings, snapshot, sealer), keys),
        background=background,
        identities=Identities(settings, store),
        clients=clients,
        registrations=Registrations(),
        codes=Codes(store),
        consents=Consents(store),
        grants=grants,
        access_tokens=access_tokens,
        revocations=revocations,
        holders=holders,
    )
