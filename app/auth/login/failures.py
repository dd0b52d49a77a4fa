"""How many passwords may be tried: of a name from an address, from an address, of a name from everywhere."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

PER_PAIR, PER_ADDRESS, PER_NAME = 5, 30, 50
WINDOW_S = 300.0
FAMILIAR_S = 30 * 86_400.0
REMEMBERED = 10_000
"""Entries of each table; the oldest is forgotten first, so nobody can grow one."""

K = TypeVar("K")
V = TypeVar("V")


class FailedLogins:
    """What was tried in vain lately, in this process.

    Strangers cannot keep a person out: the limit of a name does not count at an address from which that name
    logged in during the last 30 days.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pairs = _Counts(PER_PAIR)
        self._addresses = _Counts(PER_ADDRESS)
        self._names = _Counts(PER_NAME)
        self._familiar: OrderedDict[tuple[str, str], float] = OrderedDict()

    def attempt(self, username: str, address: str) -> int:
        """Count an attempt before it is made, so that many at once are not free.

        0 where it may be made; otherwise the seconds to wait. One that is refused is not counted.
        """
        now, network = self._clock(), _network(address)
        pair = (username, network)
        limits: list[tuple[_Counts, Hashable]] = [(self._pairs, pair), (self._addresses, network)]
        if self._familiar.get(pair, 0.0) <= now:
            limits.append((self._names, username))
        if wait := max(table.wait(key, now) for table, key in limits):
            return int(wait) + 1
        for table, key in limits:
            table.add(key, now)
        return 0

    def succeeded(self, username: str, address: str) -> None:
        """Forgive the pair what was tried in vain before, and the attempt itself everywhere."""
        now, network = self._clock(), _network(address)
        pair = (username, network)
        self._pairs.forget(pair)
        self._addresses.take_back(network)
        if self._familiar.get(pair, 0.0) <= now:
            self._names.take_back(username)
        _put(self._familiar, pair, now + FAMILIAR_S)


class _Counts:
    """Attempts of each key in a window that begins with the first."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._tried: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def wait(self, key: Hashable, now: float) -> float:
        count, ends = self._tried.get(key, (0, 0.0))
        return ends - now if count >= self._allowed and ends > now else 0.0

    def add(self, key: Hashable, now: float) -> None:
        count, ends = self._tried.get(key, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + WINDOW_S
            self._tried.pop(key, None)
        _put(self._tried, key, (count + 1, ends))

    def take_back(self, key: Hashable) -> None:
        if key in self._tried:
            count, ends = self._tried[key]
            self._tried[key] = (max(0, count - 1), ends)

    def forget(self, key: Hashable) -> None:
        self._tried.pop(key, None)


def _put(table: OrderedDict[K, V], key: K, value: V) -> None:
    table[key] = value
    if len(table) > REMEMBERED:
        table.popitem(last=False)


def _network(address: str) -> str:
    """The address; of IPv6 its /64, since a single host has all of that."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
