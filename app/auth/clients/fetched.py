"""JSON at https addresses of clients: fetched under the guard for upstreams, and cached."""

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog

from app.core.settings import Settings
from app.core.ssrf import UpstreamRefused, UpstreamUnresolved, guarded_transport

DEADLINE_S = 5.0
LONGEST = 16 * 1024
KEPT = 1000
AT_ONCE = 16
"""Fetches in progress: anybody can name an address, and each holds a connection."""
SHORTEST_LIFE_S, LONGEST_LIFE_S, FAILURE_LIFE_S = 300.0, 86_400.0, 60.0
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?([0-9]{1,9})")
_JSON = re.compile(r"application/(?:[a-z0-9.!#$&^_+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
log = structlog.get_logger(__name__)


class Unfetched(Exception):  # noqa: N818  (what happened)
    """Nothing usable is at the address; `passing` where a later try may find it."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


@dataclass(frozen=True)
class _Known:
    body: dict[str, Any] | None
    failure: Unfetched | None
    fetched_at: float
    asked_at: float
    fresh_until: float


class Fetched:
    """What is at addresses, by their own Cache-Control within bounds; one fetch at a time for each.

    While an address fails for the moment, what was there before serves on, for a day at most.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asking: dict[str, asyncio.Task[_Known]] = {}

    async def get(self, url: str, *, younger_than_s: float = LONGEST_LIFE_S) -> dict[str, Any]:
        """The object at that address, asked for less than `younger_than_s` ago. Raises Unfetched."""
        known, now = self._known.get(url), self._clock()
        if known is None or known.fresh_until <= now or known.asked_at + younger_than_s <= now:
            task = self._question(url)
            if task is not None:
                known = await asyncio.shield(task)
            elif known is None or known.fetched_at + LONGEST_LIFE_S <= now:
                raise Unfetched("too many documents are being fetched; try again soon", passing=True)
        if known.body is None:
            assert known.failure is not None  # noqa: S101  (one of both is there)
            raise Unfetched(str(known.failure), passing=known.failure.passing)
        return known.body

    def _question(self, url: str) -> asyncio.Task[_Known] | None:
        # None while too many are asked: strangers name addresses, and must not shut out those that are known.
        task = self._asking.get(url)
        if task is None:
            if len(self._asking) >= AT_ONCE:
                return None
            task = self._asking[url] = asyncio.create_task(self._ask(url))
            task.add_done_callback(lambda _: self._asking.pop(url))
        return task

    async def _ask(self, url: str) -> _Known:
        before, now = self._known.get(url), self._clock()
        try:
            body, life_s = await fetch(self._settings, url)
            known = _Known(body, None, now, now, now + life_s)
        except Unfetched as failure:
            log.info("a client's document was not had", url=url, reason=str(failure.__cause__ or failure))
            kept = before.body if before and failure.passing else None
            if before is not None and kept is not None and before.fetched_at + LONGEST_LIFE_S > now:
                known = _Known(kept, None, before.fetched_at, now, now + FAILURE_LIFE_S)
            else:
                known = _Known(None, failure, now, now, now + FAILURE_LIFE_S)
        self._known.pop(url, None)
        self._known[url] = known
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return known


async def fetch(settings: Settings, url: str) -> tuple[dict[str, Any], float]:
    """The JSON object at an https address, and how long it may be kept, in seconds. Raises Unfetched.

    The message holds nothing that would tell a stranger about the network here; the cause does.
    """
    try:
        async with (
            asyncio.timeout(DEADLINE_S),
            httpx2.AsyncClient(
                transport=guarded_transport(settings), timeout=DEADLINE_S, trust_env=False
            ) as http,
            http.stream(
                "GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}
            ) as response,
        ):
            _check(response)
            body = b""
            async for part in response.aiter_raw():
                body += part
                if len(body) > LONGEST:
                    raise Unfetched(f"{url} answers with more than {LONGEST // 1024} KiB")
    except UpstreamRefused as error:
        passing = isinstance(error, UpstreamUnresolved)
        raise Unfetched(f"{url} is at no address that Gatepost connects to", passing=passing) from error
    except TimeoutError:
        raise Unfetched(f"{url} did not answer within {DEADLINE_S:g} s", passing=True) from None
    except (httpx2.HTTPError, OSError) as error:
        raise Unfetched(f"{url} cannot be reached", passing=True) from error
    return _object(url, body), _life(response.headers.get("Cache-Control", ""))


def _check(response: httpx2.Response) -> None:
    url, status = response.url, response.status_code
    if status != httpx2.codes.OK:
        raise Unfetched(f"{url} answers with status {status}", passing=status >= 500 or status == 429)
    if not _JSON.fullmatch(response.headers.get("Content-Type", "")):
        raise Unfetched(f"{url} is not served as application/json")


def _object(url: str, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unfetched(f"{url} is no JSON") from None
    if not isinstance(found, dict):
        raise Unfetched(f"{url} holds no JSON object")
    return found


def _life(cache_control: str) -> float:
    found = _MAX_AGE.search(cache_control.lower())
    return min(max(float(found[1]) if found else 0.0, SHORTEST_LIFE_S), LONGEST_LIFE_S)
