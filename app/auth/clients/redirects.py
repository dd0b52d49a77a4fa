"""Which redirect URIs a client may register, and which of a request are its own."""

import re
from urllib.parse import urlsplit

from app.auth.clients.model import Client

LONGEST = 2048
_URI = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
_LOOPBACK = re.compile(
    r"http://(?P<host>127(?:\.[0-9]{1,3}){3}|\[::1\]|localhost)(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?].*)?"
)
_NO_PROGRAM = re.compile(
    r"about|blob|cid|content|chrome|data|dav|file|filesystem|ftps?|geo|git|help|hcp|imap|intent|jar|javascript"
    r"|ldaps?|livescript|mailto|mhtml|mid|mocha|ms-(?!appx).*|news|nfs|nntp|pop|resource|rtsp|search-ms|sftp"
    r"|shell|sips?|sms|smb|ssh|tel|telnet|urn|vbscript|view-source|wss?|x-apple.*|x-man-page|xmpp"
)
"""Schemes that browsers or systems act on themselves, or that belong to no one program."""


def redirect_uri_allowed(client: Client, uri: str) -> bool:
    """Whether a request of that client may name this redirect URI: one it registered, letter by letter.

    A program on the user's own machine takes what port is free, so that of http on loopback may be another
    (RFC 8252, 7.3).
    """
    if uri in client.redirect_uris:
        return True
    place = _place(uri)
    return place is not None and any(place == _place(registered) for registered in client.redirect_uris)


def registrable(uri: str) -> str:
    """The same URI, fit to be registered: https, http on loopback, or a program's own scheme.

    Raises ValueError, which says why it is not.
    """
    if len(uri) > LONGEST or not _URI.fullmatch(uri):
        raise ValueError(f"is no URI of at most {LONGEST} ASCII characters without a fragment")
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("has a host or port that is none") from None
    if "@" in parts.netloc:
        raise ValueError("names a user, which no redirect URI may")
    match parts.scheme:
        case "https":
            fit = bool(host)
        case "http":
            fit = _place(uri) is not None
        case scheme:
            fit = bool(scheme) and not _NO_PROGRAM.fullmatch(scheme) and len(uri) > len(scheme) + 1
    if not fit:
        raise ValueError(
            "is neither https, nor http on 127.0.0.1, [::1] or localhost, nor of a program's own scheme"
        )
    return uri


def _place(uri: str) -> tuple[str, str] | None:
    found = _LOOPBACK.fullmatch(uri)
    if found is None or not 0 < int(found["port"] or 80) < 65536:
        return None
    return found["host"], found["rest"] or ""
