"""Which redirect URIs a client may register, and which of a request are its own."""

import re

from app.auth.clients.model import Client

_LOOPBACK = re.compile(
    r"http://(?P<host>127(?:\.[0-9]{1,3}){3}|\[::1\]|localhost)(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?].*)?"
)


def redirect_uri_allowed(client: Client, uri: str) -> bool:
    """Whether a request of that client may name this redirect URI: one it registered, letter by letter.

    A program on the user's own machine takes what port is free, so that of http on loopback may be another
    (RFC 8252, 7.3).
    """
    if uri in client.redirect_uris:
        return True
    place = _place(uri)
    return place is not None and any(place == _place(registered) for registered in client.redirect_uris)


def _place(uri: str) -> tuple[str, str] | None:
    found = _LOOPBACK.fullmatch(uri)
    if found is None or not 0 < int(found["port"] or 80) < 65536:
        return None
    return found["host"], found["rest"] or ""
