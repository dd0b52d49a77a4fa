from dataclasses import dataclass

from app.core.keys import SigningKeys
from app.core.sealing import Sealer
from app.core.settings import Settings
from app.core.store import Store
from app.core.tokens import TokenStore
from app.core.upstream_tokens import UpstreamTokens
from app.registry.catalogue.follower import Follower
from app.registry.catalogue.known import KnownServers
from app.registry.catalogue.overviews import Catalogue
from app.registry.discovery.runner import Discovery
from app.registry.scopes.administration import Administration
from app.registry.scopes.cache import ScopeCache
from app.registry.search.index import SearchIndex
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
    servers: KnownServers
    follower: Follower
    search: Search
    catalogue: Catalogue
    upstream_tokens: UpstreamTokens
    discovery: Discovery

    @classmethod
    def make(cls, settings: Settings, store: Store, sealer: Sealer, keys: SigningKeys) -> "Services":
        """The services on an open store."""
        scopes, servers, index = ScopeCache(store), KnownServers(settings), SearchIndex()
        follower = Follower(store, servers, index)
        upstream_tokens = UpstreamTokens(settings)
        return cls(
            settings=settings,
            store=store,
            sealer=sealer,
            keys=keys,
            scopes=scopes,
            administration=Administration(store, scopes, [found.name for found in settings.providers]),
            tokens=TokenStore(store),
            servers=servers,
            follower=follower,
            search=Search(follower, index),
            catalogue=Catalogue(follower, servers, index, settings.public_url),
            upstream_tokens=upstream_tokens,
            discovery=Discovery(settings, store, sealer, upstream_tokens, follower.discovered),
        )
