"""Parameters of OAuth requests, each at most once (RFC 6749, 3.1 and 3.2)."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from fastapi import Request

from app.auth.oauth.errors import OAuthError

FORM = "application/x-www-form-urlencoded"
LONGEST = 64 * 1024
_MOST = 100


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name; one without a value counts as absent.

    Raises OAuthError `invalid_request` for one that is repeated.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise OAuthError("invalid_request", "a parameter is there more than once")
        found[name] = value
    return {name: value for name, value in found.items() if value}


async def form_pairs(request: Request) -> list[tuple[str, str]]:
    """The fields of a form in their order. Raises OAuthError `invalid_request` for any other body."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != FORM:
        raise OAuthError("invalid_request", f"the body must be {FORM}")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise OAuthError("invalid_request", f"the body has more than {LONGEST} bytes", 413)
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST, errors="strict")
    except ValueError:
        raise OAuthError("invalid_request", "the body is no form in UTF-8 of a usual size") from None


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, each at most once. Raises OAuthError `invalid_request`."""
    return once(await form_pairs(request))
