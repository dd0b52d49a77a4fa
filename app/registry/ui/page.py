"""The page: plain HTML and one style sheet, no script; a browser is told to accept nothing else."""

import hashlib
from pathlib import Path

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.core.caller import Caller
from app.registry.catalogue.overviews import Catalogue

STYLE_PATH = "/ui/static/gatepost.css"
_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "gatepost.css").read_bytes()
_STYLE_VERSION = hashlib.sha256(_STYLE).hexdigest()[:12]
_TEMPLATE = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
).get_template("servers.html.j2")
_STATES = {
    "healthy": "Up",
    "unreachable": "Unreachable",
    "credential_expired": "Credential refused",
    "unknown": "Not checked yet",
}

# The referrer stays within the origin: without one a browser would send `Origin: null` with the logout form.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def servers_page(catalogue: Catalogue, caller: Caller, name: str) -> HTMLResponse:
    """What is registered, and whether it is up, as far as the caller may see it. Raises StoreError.

    `name` is what people call the caller; empty where nobody said.
    """
    html = _TEMPLATE.render(
        servers=await catalogue.list(caller.grants),
        states=_STATES,
        subject=caller.identity.subject,
        name=name,
        may_add=caller.grants.may("servers:write"),
        registry_url=catalogue.url("registry"),
        style=f"{STYLE_PATH}?v={_STYLE_VERSION}",
    )
    return HTMLResponse(html, headers=HEADERS)


def style_sheet() -> Response:
    """The style sheet; its address changes with its content, so that a browser may keep it."""
    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(_STYLE, media_type="text/css", headers=headers)
