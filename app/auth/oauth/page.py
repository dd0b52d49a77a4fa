"""The pages of an authorization: plain HTML without script, as the login page is."""

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.auth.clients.model import Client
from app.auth.login.page import HEADERS
from app.auth.oauth.request import Wanted, stays_on_device
from app.auth.oauth.resources import in_words
from app.auth.providers.base import Person
from app.core.models import Scope

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "oauth.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_TEMPLATES = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
_PLACES = {"preregistered": "registered by an administrator", "dynamic": "registered by itself"}


def consent_page(
    client: Client, person: Person, wanted: Wanted, scopes: list[Scope], sealed: str, *, error: str = ""
) -> HTMLResponse:
    """The question whether a client may have what it wants; `scopes` are the person's, to choose from."""
    html = _TEMPLATES.get_template("consent.html.j2").render(
        style=_STYLE,
        client=client,
        person=person.name or person.subject,
        kind=_PLACES.get(client.kind) or f"known by its document at {urlsplit(client.client_id).hostname}",
        resource=in_words(wanted.resource),
        place=_place(wanted.redirect_uri),
        on_device=stays_on_device(wanted.redirect_uri),
        whole=wanted.scopes is None,
        chosen=bool(error),
        scopes=scopes,
        sealed=sealed,
        error=error,
    )
    return HTMLResponse(html, 422 if error else 200, _headers(wanted.redirect_uri))


def fault_page(reason: str, fix: str, status: int = 400) -> HTMLResponse:
    """Why there is no going on, for a request whose redirect URI cannot be trusted with the answer."""
    html = _TEMPLATES.get_template("fault.html.j2").render(style=_STYLE, reason=reason, fix=fix)
    return HTMLResponse(html, status, _headers(None))


def _place(redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    return parts.netloc if parts.scheme in {"http", "https"} else f"the program that opens {parts.scheme}:"


def _headers(redirect_uri: str | None) -> dict[str, str]:
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
        f"form-action 'self'{_form_target(redirect_uri)}; base-uri 'none'; frame-ancestors 'none'"
    )
    return {**HEADERS, "Content-Security-Policy": policy}


def _form_target(redirect_uri: str | None) -> str:
    # Chromium holds the redirect that answers a form against form-action as well.
    if redirect_uri is None:
        return ""
    parts = urlsplit(redirect_uri)
    # Other characters, such as those of an IPv6 address, cannot be written in a policy.
    plain = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc)
    return f" {parts.scheme}://{parts.netloc}" if plain else f" {parts.scheme}:"
