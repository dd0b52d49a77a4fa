"""The question to the identity provider (SAML bindings, 3.4: HTTP-Redirect). Pure."""

import secrets

from minisaml.request import get_request_redirect_url


def request_id() -> str:
    """A new id of a request; an XML name, which may not begin with a digit."""
    return f"_{secrets.token_hex(20)}"


def login_url(endpoint: str, *, entity_id: str, acs_url: str, id: str) -> str:
    """Where a browser asks to be logged in.

    The request is not signed, whatever the metadata wants: the provider answers to the address that it knows
    of us, so that a forged request gains nothing.
    """
    return get_request_redirect_url(
        saml_endpoint=endpoint, expected_audience=entity_id, acs_url=acs_url, request_id=id
    )
