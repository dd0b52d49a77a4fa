"""What a request shows of the client that sends it (RFC 6749, 2.3; RFC 7523, 2.2)."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from app.auth.oauth.errors import OAuthError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Presented:
    """The client that a request names, and the one proof that it gives; a public client gives none."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


def presented(form: Mapping[str, str], authorization: str | None) -> Presented:
    """Read it. A member without a value counts as absent (RFC 6749, 3.2).

    Raises OAuthError: `invalid_request` for more than one proof or two different ids, `invalid_client`
    where nothing names a client or the header is not readable.
    """
    named, secret, assertion = (
        form.get(name) or None for name in ("client_id", "client_secret", "client_assertion")
    )
    if sum(proof is not None for proof in (authorization, secret, assertion)) > 1:
        raise OAuthError("invalid_request", "a client authenticates in one way at a time")
    found = Presented(named or "", secret, assertion)
    if authorization is not None:
        found = _basic(authorization)
    elif assertion is not None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise OAuthError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
        found = Presented(_issuer(assertion), assertion=assertion)
    if named is not None and named != found.client_id:
        raise OAuthError("invalid_request", "client_id is not the client that authenticates")
    if not found.client_id:
        raise OAuthError("invalid_client", "the request names no client: client_id is missing", 401)
    return found


def _basic(authorization: str) -> Presented:
    scheme, _, value = authorization.partition(" ")
    try:
        text = base64.b64decode(value.strip(" "), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise OAuthError("invalid_client", "the Authorization header is not Basic with id and secret", 401)
    return Presented(unquote_plus(client_id), unquote_plus(secret))


def _issuer(assertion: str) -> str:
    try:
        issuer = json.loads(extract_compact(assertion.encode()).payload).get("iss")
    except (JoseError, ValueError, AttributeError, RecursionError):
        issuer = None
    if not isinstance(issuer, str):
        raise OAuthError("invalid_client", "client_assertion is no JWT with the client's id in iss", 401)
    return issuer
