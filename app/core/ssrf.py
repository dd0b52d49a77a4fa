"""The guard between a URL that somebody registered and the network that Gatepost stands in."""

import asyncio
import socket
import ssl
from collections.abc import Collection, Iterable
from ipaddress import IPv6Address
from urllib.parse import urljoin

import httpcore2
import httpx2

from app.core.settings import Settings
from app.core.ssrf_addresses import Network, never, parse, refusal


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


def guarded_transport(settings: Settings) -> httpx2.AsyncHTTPTransport:
    """A transport for requests to upstreams: it connects to addresses that `resolve` allows and to no others.

    Certificates are verified against `upstream_ca_file`, or the system's CAs. A redirect to another origin
    raises UpstreamRefused, since the upstream's credential would go along. Raises OSError for a CA file that
    cannot be read.
    """
    return _GuardedTransport(
        ssl.create_default_context(cafile=settings.upstream_ca_file), settings.upstream_networks
    )


class _GuardedTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, context: ssl.SSLContext, allowed: Collection[Network]) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_GuardedBackend(allowed),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if response.has_redirect_location:
            target = httpx2.URL(urljoin(str(request.url), response.headers["location"]))
            if _origin(target) != _origin(request.url):
                await response.aclose()
                where = f"{request.url.host} redirects to {target.host or target}"
                raise UpstreamRefused(f"{where}; register that address itself if it is meant")
        return response


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
