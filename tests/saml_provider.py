"""An identity provider of SAML: real keys, real signatures, and responses that can be wrong in one point."""

import base64
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from app.auth.providers.saml.assertion import Assertion, Expected
from app.auth.providers.saml.metadata import Metadata, read_metadata
from app.auth.providers.saml.response import read_response

with warnings.catch_warnings():
    # It parses with a module of defusedxml that is deprecated, and warns whoever imports it.
    warnings.simplefilter("ignore", DeprecationWarning)
    from minisignxml.config import SigningConfig
    from minisignxml.sign import sign

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ISSUER = "https://idp.example/realm"
AUDIENCE = "https://gate.example/saml/corp/metadata"
RECIPIENT = "https://gate.example/saml/corp/acs"
REQUEST = "_request1"
NAMES = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}


@dataclass(frozen=True)
class Signer:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def text(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()


@cache
def signer(name: str = "idp", bits: int = 2048) -> Signer:
    key = rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    )
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return Signer(key, builder.sign(key, hashes.SHA256()))


def at(seconds: float) -> str:
    return f"{NOW + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Saying:
    """What a response says; each test changes what it is about."""

    id: str = "_assertion1"
    sender: str = ISSUER
    issuer: str = ISSUER
    audience: str = AUDIENCE
    recipient: str = RECIPIENT
    destination: str = RECIPIENT
    request: str | None = REQUEST
    answered: str | None = REQUEST
    starts: str = at(-5)
    ends: str = at(60)
    name_id: str = "alice"
    attributes: dict[str, list[str]] = field(default_factory=lambda: {"groups": ["fin-team", "staff"]})
    status: str = "urn:oasis:names:tc:SAML:2.0:status:Success"
    conditions: str = ""

    def tree(self) -> etree._Element:
        values = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in listed)
            + "</saml:Attribute>"
            for name, listed in self.attributes.items()
        )
        asked = f' InResponseTo="{self.request}"' if self.request else ""
        answered = f' InResponseTo="{self.answered}"' if self.answered else ""
        return etree.fromstring(
            f"""<samlp:Response xmlns:samlp="{NAMES["p"]}" xmlns:saml="{NAMES["a"]}" ID="_response1"
 Version="2.0" IssueInstant="{at(0)}" Destination="{self.destination}"{answered}>
<saml:Issuer>{self.sender}</saml:Issuer>
<samlp:Status><samlp:StatusCode Value="{self.status}"/></samlp:Status>
<saml:Assertion ID="{self.id}" Version="2.0" IssueInstant="{at(0)}"><saml:Issuer>{self.issuer}</saml:Issuer>
<saml:Subject><saml:NameID>{self.name_id}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData{asked} NotOnOrAfter="{self.ends}" Recipient="{self.recipient}"/>
</saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{self.starts}" NotOnOrAfter="{self.ends}">
<saml:AudienceRestriction><saml:Audience>{self.audience}</saml:Audience></saml:AudienceRestriction>
{self.conditions}</saml:Conditions>
<saml:AuthnStatement AuthnInstant="{at(0)}" SessionIndex="s1"/>
<saml:AttributeStatement>{values}</saml:AttributeStatement></saml:Assertion></samlp:Response>"""
        )

    def signed(self, by: Signer | None = None, config: SigningConfig | None = None) -> etree._Element:
        response = self.tree()
        return signed(response, response.find("a:Assertion", NAMES), by, config)


def signed(
    response: etree._Element,
    element: etree._Element,
    by: Signer | None = None,
    config: SigningConfig | None = None,
) -> etree._Element:
    """The response with a signature inside this element of it."""
    by = by or signer()
    xml = sign(
        element=element,
        private_key=by.key,
        certificate=by.certificate,
        config=config or SigningConfig.default(),
        index=1,
    )
    return etree.fromstring(xml)


def metadata(*signers: Signer, more: str = "") -> bytes:
    keys = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{NAMES["ds"]}"><ds:X509Data>'
        f"<ds:X509Certificate>{by.text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for by in signers or (signer(),)
    )
    binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    return f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
 entityID="{ISSUER}" {more}>
<md:IDPSSODescriptor protocolSupportEnumeration="{NAMES["p"]}" WantAuthnRequestsSigned="true">{keys}
<md:SingleLogoutService Binding="{binding}" Location="{ISSUER}/logout"/>
<md:SingleSignOnService Binding="{binding}" Location="{ISSUER}/login?a=1"/>
</md:IDPSSODescriptor></md:EntityDescriptor>""".encode()


def known(*signers: Signer) -> Metadata:
    return read_metadata(metadata(*signers), NOW)


def encoded(response: etree._Element | bytes) -> str:
    return base64.b64encode(response if isinstance(response, bytes) else etree.tostring(response)).decode()


def read(response: etree._Element | bytes, idp: Metadata | None = None, after: float = 0) -> Assertion:
    """What the gateway makes of a response that arrives some seconds after it was made."""
    expected = Expected(ISSUER, AUDIENCE, RECIPIENT)
    return read_response(encoded(response), idp or known(), expected, NOW + timedelta(seconds=after))
