"""Logins by plain HTTP, as a browser sends the form."""

import httpx2

from tests.e2e.stack import Stack


def password(stack: Stack) -> str:
    """The administrator's."""
    return stack.file("secrets", "admin_password").read_text().strip()


def log_in(stack: Stack, *, by: httpx2.Client | None = None, **fields: str) -> httpx2.Response:
    """Send the login form of the gateway's own page; a field named `address` goes into X-Forwarded-For."""
    address = fields.pop("address", None)
    form = {"username": "admin", "password": password(stack), **fields}
    headers = {"Origin": stack.url, **({"X-Forwarded-For": address} if address else {})}
    send = by.post if by else httpx2.post
    return send(f"{stack.url}/login", data=form, headers=headers, timeout=60)


def session_of(answer: httpx2.Response) -> dict[str, str]:
    """The Cookie header of the session that a login began."""
    assert answer.status_code == 303, answer.text
    cookies = answer.headers.get_list("set-cookie")
    (cookie,) = (cookie for cookie in cookies if "gatepost_session=" in cookie)
    return {"Cookie": cookie.partition(";")[0]}
