from dataclasses import dataclass

from app.core.keys import SigningKeys
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.store import Store
from app.core.tokens import TokenStore
from app.core.upstream_tokens import UpstreamTokens
from app.registry.discovery.runner import Discovery
from app.registry.scopes.administration import Administration
from app.registry.scopes.cache import ScopeCache
from app.registry.search.catalogue import Catalogue
from app.registry.search.service import Search


@dataclass(frozen=True)
class Services:
    """What every handler of the registry may need; made once, kept at `app.state.registry`."""

    settings: Settings
    store: Store
    sealer: Sealer
    keys: SigningKeys
    scopes: ScopeCache
    administration: Administration
    tokens: TokenStore
    search: Search
    catalogue: Catalogue
    upstream_tokens: UpstreamTokens
    discovery: Discovery

    @classmethod
    def make(cls, settings: Settings, store: Store, sealer: Sealer, keys: SigningKeys) -> "Services":
        """The services on an open store."""
        scopes, search = ScopeCache(store), Search(store)
        upstream_tokens = UpstreamTokens(settings)
        return cls(
            settings=settings,
            store=store,
            sealer=sealer,
            keys=keys,
            scopes=scopes,
            administration=Administration(store, scopes, [found.name for found in settings.providers]),
            tokens=TokenStore(store),
            search=search,
            catalogue=Catalogue(store, search, settings.public_url),
            upstream_tokens=upstream_tokens,
            discovery=Discovery(settings, store, sealer, upstream_tokens, search.discovered),
        )
