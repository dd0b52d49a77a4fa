"""Which addresses an upstream may have; pure. Kinds are from IANA's special-purpose registries (RFC 6890)."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER: dict[str, tuple[str, ...]] = {
    "a link-local address, where clouds keep their metadata service": ("169.254.0.0/16", "fe80::/10"),
    "a cloud's metadata service": (
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # AWS, with EKS's pod identity at ::23
        "fd20:ce::254/128",  # Google
    ),
    "an unspecified address": ("0.0.0.0/8", "::/128"),
    "a multicast or broadcast address": ("224.0.0.0/4", "ff00::/8", "255.255.255.255/32"),
}
_NOT_GLOBAL: dict[str, tuple[str, ...]] = {
    "a loopback address": ("127.0.0.0/8", "::1/128"),
    "a private address": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "a carrier-grade NAT address": ("100.64.0.0/10",),
    "not a public address": (
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    ),
}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_LAST_32_BITS = tuple(map(IPv6Network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "::/96")))
"""Forms that carry an IPv4 address at their end: mapped, translated (RFC 2765), NAT64, and compatible."""
_6TO4 = IPv6Network("2002::/16")


def refusal(address: Address, allowed: Collection[Network]) -> str | None:
    """Why an upstream may not be at this address, as in "a private address"; None if it may.

    An IPv6 address that carries an IPv4 address is judged by that one. What is not public may be used
    inside the `allowed` networks; link-local, metadata, unspecified and multicast addresses never.
    """
    judged = _embedded(address)
    if kind := _kind(judged, _NEVER):
        return kind
    if any(judged in network for network in allowed):
        return None
    if kind := _kind(judged, _NOT_GLOBAL):
        return kind
    outside = isinstance(judged, IPv6Address) and judged not in _GLOBAL_UNICAST
    return "not a public address" if outside else None


def never(address: Address) -> bool:
    """Whether no setting allows this address."""
    return _kind(_embedded(address), _NEVER) is not None


def parse(text: str) -> Address:
    """An address as the resolver writes it; a zone (`fe80::1%eth0`) is left out."""
    return ip_address(text.partition("%")[0])


def _embedded(address: Address) -> Address:
    if isinstance(address, IPv4Address) or int(address) <= 1:
        return address
    if address in _6TO4:
        return IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    if any(address in network for network in _LAST_32_BITS):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _kind(address: Address, kinds: dict[str, tuple[str, ...]]) -> str | None:
    return next(
        (kind for kind, networks in kinds.items() if any(address in ip_network(n) for n in networks)), None
    )
