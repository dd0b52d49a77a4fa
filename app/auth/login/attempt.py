"""A login on its way through a provider: kept by the browser alone, sealed, so that no other can end it."""

import json
import secrets
import time
import zlib
from dataclasses import asdict, dataclass, field

from fastapi import Request
from fastapi.responses import Response

from app.core.sealing import Sealer, SealError

LIFE_S = 600
_CONTEXT = "login attempt"


@dataclass(frozen=True)
class Attempt:
    """What must come back unchanged: `state` by the provider, the rest never leaves this browser.

    `verifier` is PKCE's (RFC 7636) towards the provider; for SAML `state` is the id of the request.
    """

    provider: str
    after: str
    state: str = field(default_factory=lambda: "_" + secrets.token_hex(20))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    made_at: float = field(default_factory=time.time)


def set_attempt(response: Response, sealer: Sealer, public_url: str, attempt: Attempt) -> None:
    """Have the browser keep the attempt; one at a time, a newer one replaces it."""
    response.set_cookie(
        _name(public_url),
        sealer.seal(zlib.compress(json.dumps(asdict(attempt)).encode()), _CONTEXT),
        max_age=LIFE_S,
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def read_attempt(request: Request, sealer: Sealer, public_url: str, provider: str) -> Attempt | None:
    """The attempt that this browser made at that provider; None for none and one that is too old."""
    try:
        kept = json.loads(zlib.decompress(sealer.open(request.cookies.get(_name(public_url), ""), _CONTEXT)))
    except SealError:
        return None
    attempt = Attempt(**kept)
    fresh = attempt.made_at + LIFE_S > time.time()
    return attempt if fresh and attempt.provider == provider else None


def clear_attempt(response: Response, public_url: str) -> None:
    """Have the browser forget it: an attempt is used once."""
    response.delete_cookie(
        _name(public_url),
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def _name(public_url: str) -> str:
    return "__Host-gatepost_login" if public_url.startswith("https:") else "gatepost_login"
