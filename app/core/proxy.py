"""The outbound proxy: which requests of auth and registry go through it. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import unquote, urlsplit

from app.core.ssrf_addresses import Address

_FORM = "it must be http://host:port, with user:password@ before the host where the proxy asks for them"


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy (CONNECT for https) and the hosts that are reached without it."""

    url: str
    credentials: tuple[str, str] | None = field(repr=False)
    exceptions: Sequence[str]

    @classmethod
    def parse(cls, url: str, exceptions: Sequence[str] = ()) -> "Proxy":
        """Raises ValueError, which repeats nothing of the URL: it may hold a password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(_FORM) from None
        if (
            parts.scheme != "http"
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
        ):
            raise ValueError(_FORM)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        credentials = None
        if parts.username is not None:
            credentials = unquote(parts.username), unquote(parts.password or "")
        return cls(f"http://{host}:{port or 80}", credentials, exceptions)

    def is_skipped(self, hostname: str, addresses: Collection[Address]) -> bool:
        """Whether a host is reached directly: it, a domain above it or all of its addresses are exceptions.

        Loopback is never reached through a proxy; `addresses` is empty for a name that only the proxy knows.
        """
        name = hostname.lower().rstrip(".")
        networks = [*_LOOPBACK]
        for exception in self.exceptions:
            if network := network_of(exception):
                networks.append(network)
            elif exception == "*" or f".{name}".endswith("." + exception.lower().strip(".")):
                return True
        return bool(addresses) and all(
            any(address in network for network in networks) for address in addresses
        )


def network_of(text: str) -> IPv4Network | IPv6Network | None:
    """The network or address that an exception names; None for the name of a host or domain."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
