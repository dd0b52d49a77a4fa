"""What we say of ourselves to an identity provider (SAML metadata, 2.4.4). Pure."""

from lxml import etree  # type: ignore[import-untyped]
from lxml.builder import ElementMaker  # type: ignore[import-untyped]

from app.auth.providers.saml.xml import METADATA, POST, PROTOCOL

MEDIA_TYPE = "application/samlmetadata+xml"
_md = ElementMaker(namespace=METADATA, nsmap={"md": METADATA})


def sp_metadata(entity_id: str, acs_url: str) -> bytes:
    """The document that an administrator gives to the identity provider."""
    consumer = _md.AssertionConsumerService(Binding=POST, Location=acs_url, index="0", isDefault="true")
    role = _md.SPSSODescriptor(
        consumer,
        protocolSupportEnumeration=PROTOCOL,
        AuthnRequestsSigned="false",
        WantAssertionsSigned="true",
    )
    document = _md.EntityDescriptor(role, entityID=entity_id)
    return bytes(etree.tostring(document, xml_declaration=True, encoding="UTF-8"))
