"""The question to the identity provider (SAML bindings, 3.4: HTTP-Redirect). Pure."""

import base64
import secrets
import zlib
from datetime import UTC, datetime
from urllib.parse import urlencode

from lxml.builder import ElementMaker  # type: ignore[import-untyped]
from lxml.etree import tostring  # type: ignore[import-untyped]

from app.auth.providers.saml.xml import ASSERTION, PROTOCOL

_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_NAMES = {"samlp": PROTOCOL, "saml": ASSERTION}
_RAW_DEFLATE = -15


def request_id() -> str:
    """A new id of a request; an XML name, which may not begin with a digit."""
    return f"_{secrets.token_hex(20)}"


def login_url(endpoint: str, *, entity_id: str, acs_url: str, id: str) -> str:
    """Where a browser asks to be logged in.

    The request is not signed, whatever the metadata wants: the provider answers to the address that it knows
    of us, so that a forged request gains nothing.
    """
    request = ElementMaker(namespace=PROTOCOL, nsmap=_NAMES).AuthnRequest(
        ElementMaker(namespace=ASSERTION).Issuer(entity_id),
        ID=id,
        Version="2.0",
        IssueInstant=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        Destination=endpoint,
        AssertionConsumerServiceURL=acs_url,
        ProtocolBinding=_POST,
    )
    deflate = zlib.compressobj(wbits=_RAW_DEFLATE)
    packed = deflate.compress(tostring(request)) + deflate.flush()
    query = urlencode({"SAMLRequest": base64.b64encode(packed).decode()})
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"
