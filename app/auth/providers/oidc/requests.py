"""Requests to a provider: to where it is configured to be, private networks too, and never further."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from app.auth.providers.base import ProviderUnavailable
from app.core.settings import Settings
from app.core.ssrf import EVERY_NETWORK, UpstreamRefused, guarded_transport

DEADLINE_S = 4.0
"""Less than a gateway waits for a verdict."""
LONGEST_ANSWER = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What a provider answered; `body` is the JSON object, empty where there is none."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class ProviderRequests:
    """Sends requests to one provider and names it in errors."""

    def __init__(self, settings: Settings, provider: str) -> None:
        self._settings = settings
        self.provider = provider

    async def send(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status; redirects are not followed. Raises ProviderUnavailable."""
        where = f"{self.provider} at {urlsplit(url).netloc}"
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._send(method, url, form, headers or {})
        except TimeoutError:
            reason = f"did not answer within {DEADLINE_S:g} s; try again in a while"
        except UpstreamRefused as error:
            reason = f"cannot be used: {error}"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            reason = f"cannot be reached: {error or type(error).__name__}{_fix(error)}"
        raise ProviderUnavailable(f"{where} {reason}")

    async def document(self, url: str) -> Mapping[str, Any]:
        """The JSON object at an address. Raises ProviderUnavailable."""
        answer = await self.send("GET", url)
        if answer.status != httpx2.codes.OK or not answer.body:
            said = f"status {answer.status}" if answer.status != httpx2.codes.OK else "no JSON object"
            raise ProviderUnavailable(f"{self.provider} answers {url} with {said}")
        return answer.body

    async def _send(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        plain = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        async with (
            httpx2.AsyncClient(
                transport=guarded_transport(self._settings, EVERY_NETWORK, foreign_redirects=True),
                timeout=DEADLINE_S,
                trust_env=False,
            ) as http,
            http.stream(method, url, data=form, headers=plain) as response,
        ):
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > LONGEST_ANSWER:
                    raise httpx2.DecodingError(f"it answers with more than {LONGEST_ANSWER // 1024} KiB")
            return Answer(response.status_code, _object(bytes(body)), response.headers)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fix(error: Exception) -> str:
    if "certificate" in str(error).lower():
        return "; if it has a CA of your own, put that into GATEPOST_UPSTREAM_CA_FILE"
    return ""
