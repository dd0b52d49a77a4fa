"""XML that somebody else wrote: no DTD, no entities, no network, bounded; and the names that SAML uses."""

from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from app.auth.providers.saml.errors import Refused

ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
NAMES = {
    "saml": ASSERTION,
    "md": METADATA,
    "samlp": PROTOCOL,
    "ds": SIGNATURE,
    "ec": "http://www.w3.org/2001/10/xml-exc-c14n#",
}
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
LARGEST = 512 * 1024
"""An assertion with some thousand groups has a tenth of it."""

Element = Any
"""lxml has no types of its own."""


def parse(xml: bytes, what: str, *, comments: bool = False) -> Element:
    """The root element. Raises Refused for what is no plain XML; `what` names the document in its message.

    Comments are refused where they are not dropped, since readers differ in what the text round one is, and
    a signature does not cover it (the forged `admin<!-- -->@example.org`).
    """
    if len(xml) > LARGEST:
        raise Refused(f"{what} has more than {LARGEST // 1024} KiB")
    if b"<!DOCTYPE" in xml:
        raise Refused(f"{what} has a document type declaration, which SAML never needs")
    # The encoding is fixed, so that no other one hides a declaration from the check above.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=comments,
        remove_pis=comments,
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.LxmlError, ValueError):
        raise Refused(f"{what} is not well-formed XML in UTF-8") from None
    if root.xpath("//comment() | //processing-instruction()"):
        raise Refused(f"{what} has a comment or a processing instruction, which SAML never needs")
    return root


def only(parent: Element, path: str, what: str) -> Element:
    """The one element at this path. Raises Refused where there is none, and where there are several."""
    found = parent.findall(path, NAMES)
    if len(found) != 1:
        raise Refused(f"{what} has {'no' if not found else 'more than one'} {path.rpartition(':')[2]}")
    return found[0]


def text_of(element: Element | None) -> str:
    """An element's text without white space round it, empty for None. Raises Refused if it has elements."""
    if element is None:
        return ""
    if len(element):
        raise Refused("an element has other elements where it should have text")
    return (element.text or "").strip()
