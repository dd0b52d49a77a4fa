"""Requests to an agent itself, for its cards: bounded in time and size, to allowed addresses only."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2

from app.core.models import AgentInterface
from app.core.models.agent import HTTP_JSON
from app.core.settings import Settings
from app.core.sound_json import MAX_BODY, fault
from app.core.ssrf import UpstreamRefused, guarded_transport

WELL_KNOWN = "/.well-known/agent-card.json"
DEADLINE_S = 10.0
_VERSION = {"A2A-Version": "1.0"}


class Unfetched(Exception):  # noqa: N818  (what happened)
    """No card came; the message says why and repeats no credential. `status` is the agent's, if any."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


async def public_card(settings: Settings, url: str) -> Any:
    """The JSON at an agent's address, or at a URL that ends in .json. Raises Unfetched, UpstreamRefused."""
    place = url if urlsplit(url).path.endswith(".json") else url.rstrip("/") + WELL_KNOWN
    return await json_at(settings, place)


async def json_at(settings: Settings, url: str) -> Any:
    """The JSON at a URL that somebody else named. Raises Unfetched, UpstreamRefused."""
    return await _json(settings, "GET", url, _VERSION)


async def extended_card(settings: Settings, interface: AgentInterface, headers: Mapping[str, str]) -> Any:
    """The card that an agent gives to who holds this credential (A2A 1.0, 3.1.11).

    Raises Unfetched, UpstreamRefused.
    """
    sent = {**headers, **_VERSION}
    if interface.binding == HTTP_JSON:
        prefix = f"/{interface.tenant}" if interface.tenant else ""
        return await _json(settings, "GET", f"{interface.url.rstrip('/')}{prefix}/extendedAgentCard", sent)
    params = {"tenant": interface.tenant} if interface.tenant else {}
    call = {"jsonrpc": "2.0", "id": 1, "method": "GetExtendedAgentCard", "params": params}
    answer = await _json(settings, "POST", interface.url, sent, call)
    if isinstance(answer, dict) and isinstance(answer.get("result"), dict):
        return answer["result"]
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    raise Unfetched(f"the agent answers GetExtendedAgentCard with an error (code {code})")


async def _json(
    settings: Settings, method: str, url: str, headers: Mapping[str, str], body: object = None
) -> Any:
    text = bytearray()
    try:
        with anyio.fail_after(DEADLINE_S):
            async with (
                httpx2.AsyncClient(transport=guarded_transport(settings), trust_env=False) as http,
                http.stream(method, url, headers=dict(headers), json=body, timeout=DEADLINE_S) as answer,
            ):
                if answer.status_code != 200:
                    raise Unfetched(f"{url} answers with status {answer.status_code}", answer.status_code)
                async for part in answer.aiter_bytes():
                    text += part
                    if len(text) > MAX_BODY:
                        raise Unfetched(f"{url} answers with more than {MAX_BODY // 1024} KiB")
    except TimeoutError:
        raise Unfetched(f"{url} did not answer within {DEADLINE_S:g} s") from None
    except UpstreamRefused:
        raise
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise Unfetched(f"no connection to {url}: {error or type(error).__name__}") from None
    return _parsed(bytes(text), url)


def _parsed(text: bytes, url: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unfetched(f"{url} answers with something that is no JSON") from None
    if reason := fault(found):
        raise Unfetched(f"the answer of {url} cannot be kept: {reason}")
    return found
