from ipaddress import ip_address


def is_loopback(hostname: str) -> bool:
    """Whether a host name or address is this machine's own for everybody (RFC 6761, 6.3)."""
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost" or hostname.endswith(".localhost")
