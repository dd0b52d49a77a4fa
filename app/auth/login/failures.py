import time
from collections import OrderedDict
from collections.abc import Callable

ALLOWED = 5
WINDOW_S = 300.0
REMEMBERED = 10_000
"""Pairs of name and address; the oldest is forgotten first, so nobody can grow the table."""


class FailedLogins:
    """How often a name was tried in vain from an address, in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tried: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def attempt(self, username: str, address: str) -> int:
        """Count an attempt before it is made, so that many at once are not free.

        0 where it may be made; otherwise the seconds to wait.
        """
        key, now = (username, address), self._clock()
        count, ends = self._tried.get(key, (0, 0.0))
        if ends <= now:
            self._tried.pop(key, None)
            count, ends = 0, now + WINDOW_S
        if count >= ALLOWED:
            return int(ends - now) + 1
        self._tried[key] = (count + 1, ends)
        if len(self._tried) > REMEMBERED:
            self._tried.popitem(last=False)
        return 0

    def succeeded(self, username: str, address: str) -> None:
        """Forget what was tried in vain before."""
        self._tried.pop((username, address), None)
