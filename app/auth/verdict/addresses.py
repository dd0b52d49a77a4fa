import asyncio
import time
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network

from app.core.ssrf import UpstreamUnresolved, resolve

KEPT_S = 30.0
DEADLINE_S = 3.0

_Key = tuple[str, int]


class Addresses:
    """Checked addresses of upstreams. Each name is asked for once at a time, so a dead resolver holds up
    the callers of that server alone.
    """

    def __init__(self, allowed: Collection[IPv4Network | IPv6Network]) -> None:
        self._allowed = allowed
        self._known: dict[_Key, tuple[float, list[str]]] = {}
        self._asking: dict[_Key, asyncio.Task[list[str]]] = {}

    async def of(self, hostname: str, port: int) -> list[str]:
        """`ip:port` of every address. Raises UpstreamRefused; UpstreamUnresolved after 3 s too."""
        key = (hostname, port)
        kept_until, addresses = self._known.get(key, (0.0, []))
        if time.monotonic() < kept_until:
            return addresses
        try:
            return await asyncio.wait_for(asyncio.shield(self._question(key)), DEADLINE_S)
        except TimeoutError:
            raise UpstreamUnresolved(
                f"{hostname} was not resolved within {DEADLINE_S:.0f} s; check the host and the DNS server"
            ) from None

    def _question(self, key: _Key) -> asyncio.Task[list[str]]:
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(resolve(*key, self._allowed))
            task.add_done_callback(lambda done: self._answered(key, done))
        return task

    def _answered(self, key: _Key, task: asyncio.Task[list[str]]) -> None:
        del self._asking[key]
        self._known.pop(key, None)
        if not task.cancelled() and task.exception() is None:
            self._known[key] = (time.monotonic() + KEPT_S, task.result())
