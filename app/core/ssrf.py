"""The guard between a URL that somebody registered and the network that Gatepost stands in."""

import asyncio
import socket
import ssl
from collections.abc import Collection, Iterable
from ipaddress import IPv6Address, ip_network
from typing import TypedDict
from urllib.parse import urljoin

import httpcore2
import httpx2

from app.core.proxy import Proxy
from app.core.settings import Settings
from app.core.ssrf_addresses import Network, never, parse, refusal

EVERY_NETWORK: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
"""For what an administrator configured, which may be in a private network, but at no metadata address."""


class UpstreamRefused(Exception):  # noqa: N818  (what happened, not a fault)
    """An upstream that Gatepost does not connect to; the message names it, the reason and the fix."""


class UpstreamUnresolved(UpstreamRefused):
    """The upstream's name has no address now; it may have one later."""


async def resolve(hostname: str, port: int, allowed_networks: Collection[Network]) -> list[str]:
    """The addresses of an upstream, as `1.2.3.4:443` and `[2001:db8::1]:443`, all of them fit to connect to.

    One address that is refused refuses the name, since a client may be sent to any of them.
    Raises UpstreamRefused, and UpstreamUnresolved for a name without an address.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no host name"
        raise UpstreamUnresolved(
            f"{hostname} cannot be resolved: {reason}; check the host in the URL"
        ) from None
    addresses = list(dict.fromkeys(parse(str(entry[4][0])) for entry in found))
    if not addresses:
        raise UpstreamUnresolved(f"{hostname} has no address; check the host in the URL")
    for address in addresses:
        if kind := refusal(address, allowed_networks):
            fix = (
                "Gatepost never connects there"
                if never(address)
                else f"to allow it, add its network (such as {address}) to GATEPOST_UPSTREAM_NETWORKS"
            )
            raise UpstreamRefused(f"{hostname} is at {address}, {kind}; {fix}")
    return [
        f"[{address}]:{port}" if isinstance(address, IPv6Address) else f"{address}:{port}"
        for address in addresses
    ]


def guarded_transport(
    settings: Settings,
    allowed_networks: Collection[Network] | None = None,
    *,
    foreign_redirects: bool = False,
) -> httpx2.AsyncBaseTransport:
    """A transport for requests to upstreams: it connects to addresses that `resolve` allows and to no others.

    `allowed_networks` are those of the setting for upstreams, where none are given.

    With an outbound proxy, a host that resolves here is checked before the proxy is asked for it; what the
    proxy itself makes of a name is its own. Certificates are verified against `upstream_ca_file`, or the
    system's CAs. A redirect to another origin raises UpstreamRefused, since the upstream's credential would
    go along; `foreign_redirects` are answers like others, for a client that follows none.
    Raises OSError for a CA file that cannot be read.
    """
    context = ssl.create_default_context(cafile=settings.upstream_ca_file)
    allowed = settings.upstream_networks if allowed_networks is None else allowed_networks
    direct = _Pooled(
        context, httpcore2.AsyncConnectionPool(context, **_POOL, network_backend=_GuardedBackend(allowed))
    )
    url = settings.secret("outbound_proxy")
    if url is None:
        return _GuardedTransport(direct, foreign_redirects)
    try:
        proxy = Proxy.parse(url, settings.no_proxy)
    except ValueError as error:
        raise UpstreamRefused(f"GATEPOST_OUTBOUND_PROXY cannot be used: {error}") from None
    pool = httpcore2.AsyncHTTPProxy(proxy.url, proxy.credentials, ssl_context=context, **_POOL)
    return _ProxiedTransport(direct, foreign_redirects, _Pooled(context, pool), proxy, allowed)


class _Limits(TypedDict):
    max_connections: int | None
    max_keepalive_connections: int
    keepalive_expiry: float


_POOL = _Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=5.0)


class _Pooled(httpx2.AsyncHTTPTransport):
    def __init__(self, context: ssl.SSLContext, pool: httpcore2.AsyncConnectionPool) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = pool


class _GuardedTransport(httpx2.AsyncBaseTransport):
    def __init__(self, direct: httpx2.AsyncBaseTransport, foreign_redirects: bool) -> None:
        self._direct, self._foreign_redirects = direct, foreign_redirects

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await (await self._way(request.url)).handle_async_request(request)
        if response.has_redirect_location and not self._foreign_redirects:
            target = httpx2.URL(urljoin(str(request.url), response.headers["location"]))
            if _origin(target) != _origin(request.url):
                await response.aclose()
                where = f"{request.url.host} redirects to {target.host or target}"
                raise UpstreamRefused(f"{where}; register that address itself if it is meant")
        return response

    async def _way(self, _url: httpx2.URL) -> httpx2.AsyncBaseTransport:
        return self._direct

    async def aclose(self) -> None:
        await self._direct.aclose()


class _ProxiedTransport(_GuardedTransport):
    def __init__(
        self,
        direct: httpx2.AsyncBaseTransport,
        foreign_redirects: bool,
        proxied: httpx2.AsyncBaseTransport,
        proxy: Proxy,
        allowed: Collection[Network],
    ) -> None:
        super().__init__(direct, foreign_redirects)
        self._proxied, self._proxy, self._allowed = proxied, proxy, allowed

    async def _way(self, url: httpx2.URL) -> httpx2.AsyncBaseTransport:
        try:
            found = await resolve(url.host, _origin(url)[2] or 0, self._allowed)
        except UpstreamUnresolved:
            found = []  # a name that only the proxy knows
        addresses = [parse(endpoint.rpartition(":")[0].strip("[]")) for endpoint in found]
        return self._direct if self._proxy.is_skipped(url.host, addresses) else self._proxied

    async def aclose(self) -> None:
        await super().aclose()
        await self._proxied.aclose()


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self, allowed: Collection[Network]) -> None:
        self._allowed = allowed
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the interface of httpcore2)
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for endpoint in await resolve(host, port, self._allowed):
            address = endpoint.rpartition(":")[0].strip("[]")
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
