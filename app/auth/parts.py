from dataclasses import dataclass

from app.auth.background import Background
from app.auth.login.failures import FailedLogins
from app.auth.providers.base import Provider
from app.auth.providers.local import LocalProvider
from app.auth.sessions.service import Sessions
from app.auth.snapshot import Snapshot
from app.auth.verdict.caller import Callers
from app.auth.verdict.service import Verdicts
from app.auth.verdict.upstream import Servers
from app.core.keys import SigningKeys
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.store import Store
from app.core.tokens import TokenStore


@dataclass(frozen=True, repr=False, eq=False)
class Parts:
    """What the endpoints work with; one set in a process, shared by both ports."""

    settings: Settings
    store: Store
    keys: SigningKeys
    provider: Provider
    sessions: Sessions
    failures: FailedLogins
    snapshot: Snapshot
    callers: Callers
    verdicts: Verdicts
    background: Background


async def assemble(settings: Settings, store: Store) -> Parts:
    """Put the parts together on an open store. Raises StoreError, SealError."""
    sealer = Sealer.from_settings(settings)
    keys = await SigningKeys.load(store, sealer)
    snapshot = Snapshot(store)
    sessions = Sessions(store)
    background = Background()
    return Parts(
        settings=settings,
        store=store,
        keys=keys,
        provider=await LocalProvider.open(store),
        sessions=sessions,
        failures=FailedLogins(),
        snapshot=snapshot,
        callers=Callers(TokenStore(store), sessions, background),
        verdicts=Verdicts(settings, snapshot, Servers(settings, snapshot, sealer), keys),
        background=background,
    )
