"""The login page: plain HTML, no script, a style that the policy names by its hash."""

import base64
import hashlib
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.core.settings import Settings

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "login.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_TEMPLATES = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
_LOGIN = _TEMPLATES.get_template("login.html.j2")
_LEAVING = _TEMPLATES.get_template("leaving.html.j2")

AUTHORIZATION = "/oauth/authorize?"


def _policy(form_action: str) -> str:
    return (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {form_action}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


HEADERS = {
    "Content-Security-Policy": _policy("'self'"),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def login_page(
    settings: Settings,
    after: str,
    *,
    username: str = "",
    error: str = "",
    status: int = 200,
    retry_after_s: int = 0,
) -> HTMLResponse:
    """The ways to log in, with what went wrong the last time; `after` is where a login leads."""
    html = _LOGIN.render(
        style=_STYLE, providers=settings.providers, after=after, username=username, error=error
    )
    wait = {"Retry-After": str(retry_after_s)} if retry_after_s else {}
    # Chromium holds every redirect after a form against form-action, and what was allowed before leads on
    # to the client's site at once.
    onward = {"Content-Security-Policy": _policy("'self' https:")} if after.startswith(AUTHORIZATION) else {}
    return HTMLResponse(html, status, HEADERS | onward | wait)


def leaving_page(provider: str, url: str) -> HTMLResponse:
    """Leads on to a provider's logout: a page, since a browser lets no form lead to another site."""
    return HTMLResponse(_LEAVING.render(style=_STYLE, provider=provider, url=url), headers=HEADERS)
