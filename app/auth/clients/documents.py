"""Clients by the document at their id: OAuth Client ID Metadata Documents."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from app.auth.clients.client_metadata import https_url, read_metadata
from app.auth.clients.model import Client
from app.auth.oauth.errors import OAuthError

LONGEST = 512
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


def is_document_url(client_id: str) -> bool:
    """Whether an id is the address of a document: https, with a path without dots, user and fragment."""
    try:
        path = urlsplit(https_url(client_id)).path
    except ValueError:
        return False
    plain = len(client_id) <= LONGEST and "\\" not in client_id and " " not in client_id
    return plain and len(path) > 1 and not _DOTS.search(path)


def client_from(url: str, body: dict[str, Any]) -> Client:
    """The client that the document at `url` describes.

    Raises OAuthError `invalid_client`: what is at one address speaks for no other, and a public document
    holds no secret.
    """
    if body.get("client_id") != url:
        raise _unusable(url, "its client_id is not that address, letter by letter")
    if "client_secret" in body or "client_secret_expires_at" in body:
        raise _unusable(url, "it holds a client_secret")
    try:
        metadata = read_metadata(body)
    except OAuthError as error:
        raise _unusable(url, error.description) from None
    method = metadata.token_endpoint_auth_method or "none"
    if method not in {"none", "private_key_jwt"}:
        raise _unusable(url, "token_endpoint_auth_method: it must be none or private_key_jwt")
    return Client(
        client_id=url,
        kind="document",
        name=metadata.client_name or urlsplit(url).hostname or url,
        redirect_uris=metadata.redirect_uris,
        grant_types=metadata.grant_types,
        auth_method=method,
        jwks=metadata.jwks,
        jwks_uri=metadata.jwks_uri,
        client_uri=metadata.client_uri,
        created_at=datetime.now(UTC).isoformat(),
    )


def _unusable(url: str, reason: str) -> OAuthError:
    return OAuthError("invalid_client", f"the client's document at {url} cannot be used: {reason}", 401)
