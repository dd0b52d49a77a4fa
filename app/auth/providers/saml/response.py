"""What an identity provider posts: from the form's value to an assertion that was checked in full. Pure."""

import base64
import binascii
import re
from datetime import datetime

from app.auth.providers.saml.assertion import Assertion, Expected, check
from app.auth.providers.saml.errors import Refused
from app.auth.providers.saml.metadata import Metadata
from app.auth.providers.saml.signature import verified_assertion
from app.auth.providers.saml.xml import LARGEST, NAMES, PROTOCOL, Element, parse, text_of

WHAT = "the response"
_STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
_SUCCESS = f"{_STATUS}Success"
_CODE = re.compile(re.escape(_STATUS) + "[A-Za-z]{1,32}")


def read_response(value: str, idp: Metadata, expected: Expected, now: datetime) -> Assertion:
    """The assertion in `SAMLResponse`, as far as it alone shows that it counts (SAML profiles, 4.1.4).

    Whether it was used before, and whether this browser asked for it, is for the caller to check.
    Raises Refused.
    """
    response = parse(_decoded(value), WHAT)
    if response.tag != f"{{{PROTOCOL}}}Response" or response.get("Version") != "2.0":
        raise Refused("what was posted is no response of SAML 2.0")
    if response.get("Destination", expected.recipient) != expected.recipient:
        raise Refused(
            f"the response is for another address than {expected.recipient}; "
            "enter that one as assertion consumer service at the identity provider"
        )
    _check_status(response)
    issuer = response.find("./saml:Issuer", NAMES)
    if issuer is not None and text_of(issuer) != idp.entity_id:
        raise Refused(f"the response is not from {idp.entity_id}")
    assertion = check(verified_assertion(response, idp.certificates), expected, now)
    if response.get("InResponseTo", assertion.in_response_to) != assertion.in_response_to:
        raise Refused("the response and its assertion answer different requests")
    return assertion


def _decoded(value: str) -> bytes:
    if not value:
        raise Refused("the form has no SAMLResponse; the identity provider must use the binding HTTP-POST")
    if len(value) > LARGEST * 2:
        raise Refused(f"the response has more than {LARGEST // 1024} KiB")
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("the form's SAMLResponse is not base64") from None


def _check_status(response: Element) -> None:
    codes = [code.get("Value", "") for code in response.iterfind("./samlp:Status//samlp:StatusCode", NAMES)]
    if codes[:1] != [_SUCCESS]:
        known = [code.removeprefix(_STATUS) for code in codes[:2] if _CODE.fullmatch(code)]
        said = ", ".join(known) or "no known status"
        raise Refused(f"the identity provider did not log you in ({said}); its own log says why")
