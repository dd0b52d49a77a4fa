"""One access token from an authorization server, by client credentials (RFC 6749, 4.4)."""

import asyncio
import base64
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import httpx2

from app.core.credentials import ClientCredentials
from app.core.models import Upstream
from app.core.settings import Settings
from app.core.ssrf import UpstreamRefused, guarded_transport

DEADLINE_S = 10.0
LONGEST_ANSWER = 64 * 1024
LIFE_S = 300.0
"""Where the answer does not say how long the token lives, which it should (RFC 6749, 5.1)."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "access_denied",
        "server_error",
        "temporarily_unavailable",
    }
)
"""What may be repeated of a refusal: anything else could be the secret sent back."""


class TokenRefused(Exception):  # noqa: N818  (what happened)
    """No token could be had; the message names the endpoint and the reason, and holds no secret."""


@dataclass(frozen=True)
class AccessToken:
    """A bearer token; times are in seconds since the Unix epoch."""

    value: str = field(repr=False)
    fetched_at: float
    expires_at: float

    @property
    def refresh_at(self) -> float:
        """From when on a new one is asked for, while this one still serves."""
        return self.fetched_at + (self.expires_at - self.fetched_at) * 2 / 3

    @property
    def ends_at(self) -> float:
        """Until when it is sent: a little before it expires, since a call takes its time to arrive."""
        return self.expires_at - min(10.0, (self.expires_at - self.fetched_at) / 10)


async def request_token(settings: Settings, client: ClientCredentials) -> AccessToken:
    """Ask the token endpoint, within DEADLINE_S, under the rules for upstreams. Raises TokenRefused."""
    where = Upstream.from_url(client.token_url).host
    asked_at = time.time()
    try:
        async with asyncio.timeout(DEADLINE_S):
            status, body = await _post(settings, client)
    except UpstreamRefused as error:
        raise TokenRefused(f"the token endpoint cannot be used: {error}") from None
    except TimeoutError:
        raise TokenRefused(f"the token endpoint at {where} did not answer within {DEADLINE_S:g} s") from None
    except (httpx2.HTTPError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise TokenRefused(f"no connection to the token endpoint at {where}: {reason}") from None
    answer = _object(body)
    if status != httpx2.codes.OK:
        code = answer.get("error")
        said = f"status {status}, {code}" if code in _ERRORS else f"status {status}"
        fix = "check the client's id, secret and scope, and set the credential again"
        raise TokenRefused(f"the token endpoint at {where} refuses ({said}); {fix}")
    return _token(answer, where, asked_at)


async def _post(settings: Settings, client: ClientCredentials) -> tuple[int, bytes]:
    form = {"grant_type": "client_credentials", "scope": client.scope, "resource": client.resource}
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    secret = client.client_secret.get_secret_value()
    if client.auth_method == "client_secret_post":
        form |= {"client_id": client.client_id, "client_secret": secret}
    else:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    data = {name: value for name, value in form.items() if value is not None}
    async with (
        httpx2.AsyncClient(
            transport=guarded_transport(settings), timeout=DEADLINE_S, trust_env=False
        ) as http,
        http.stream("POST", client.token_url, data=data, headers=headers) as response,
    ):
        body = b""
        async for part in response.aiter_raw():
            body += part
            if len(body) > LONGEST_ANSWER:
                return response.status_code, b""
        return response.status_code, body


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _token(answer: dict[str, Any], where: str, asked_at: float) -> AccessToken:
    value, kind = answer.get("access_token"), answer.get("token_type")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise TokenRefused(f"the token endpoint at {where} answers without a usable access_token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenRefused(f"the token endpoint at {where} gives no bearer token, and no other kind is sent")
    try:
        life = float(answer.get("expires_in", LIFE_S))
    except (TypeError, ValueError):
        life = LIFE_S
    if not 0 < life < float("inf"):
        raise TokenRefused(f"the token endpoint at {where} gives a token that has expired already")
    return AccessToken(value, asked_at, asked_at + life)
