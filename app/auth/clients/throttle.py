import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

ALLOWED = 60
WINDOW_S = 300.0
REMEMBERED = 10_000
"""Addresses; the one that began longest ago is forgotten first, so nobody can grow the table."""


class Registrations:
    """How many clients registered themselves from an address, in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def attempt(self, address: str) -> int:
        """Count one more: 0 where it may be made, otherwise the seconds to wait."""
        key, now = _network(address), self._clock()
        count, ends = self._counted.get(key, (0, 0.0))
        if ends <= now:
            self._counted.pop(key, None)
            count, ends = 0, now + WINDOW_S
        if count >= ALLOWED:
            return int(ends - now) + 1
        self._counted[key] = (count + 1, ends)
        if len(self._counted) > REMEMBERED:
            self._counted.popitem(last=False)
        return 0


def _network(address: str) -> str:
    # One IPv6 host has as many addresses as it likes: a /64 of them.
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return found.exploded[:19] if isinstance(found, IPv6Address) else address
