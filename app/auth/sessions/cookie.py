from fastapi import Request
from fastapi.responses import Response

PLAIN_NAME = "gatepost_session"
HOST_NAME = "__Host-gatepost_session"


def cookie_name(public_url: str) -> str:
    """`__Host-` (RFC 6265bis, 4.1.3.2) needs https; plain http is for loopback only."""
    return HOST_NAME if public_url.startswith("https:") else PLAIN_NAME


def read_cookie(request: Request, public_url: str) -> str | None:
    """The session cookie's value, if the browser sent one."""
    return request.cookies.get(cookie_name(public_url))


def set_cookie(response: Response, public_url: str, value: str, life_s: int) -> None:
    """Hand the browser its session."""
    response.set_cookie(
        cookie_name(public_url),
        value,
        max_age=life_s,
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, public_url: str) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(
        cookie_name(public_url),
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
