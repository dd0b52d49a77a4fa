"""The form of signature that OpenSAML writes (Okta, Shibboleth): exclusive, with namespaces that are kept."""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from lxml import etree

from tests.saml_provider import NAMES, Saying, signer

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


def response() -> etree._Element:
    xml = etree.tostring(Saying().tree())
    xml = xml.replace(b"<saml:AttributeValue>", b'<saml:AttributeValue xsi:type="xs:string">')
    scope = (
        b'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    )
    root = etree.fromstring(xml.replace(b"<samlp:Response ", b"<samlp:Response " + scope))
    assertion = root.find("a:Assertion", NAMES)
    canonical = etree.tostring(assertion, method="c14n", exclusive=True, inclusive_ns_prefixes=["xs"])
    info = f"""<ds:SignedInfo xmlns:ds="{NAMES["ds"]}"><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<ds:Reference URI="#{assertion.get("ID")}"><ds:Transforms>
<ds:Transform Algorithm="{NAMES["ds"]}enveloped-signature"/>
<ds:Transform Algorithm="{EXCLUSIVE}">
<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="xs"/></ds:Transform>
</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
<ds:DigestValue>{_text(hashlib.sha256(canonical).digest())}</ds:DigestValue></ds:Reference></ds:SignedInfo>"""
    signed = etree.tostring(etree.fromstring(info), method="c14n", exclusive=True)
    value = signer().key.sign(signed, PKCS1v15(), hashes.SHA256())
    certificate = f"<ds:X509Certificate>{signer().text}</ds:X509Certificate>"
    signature = f"""<ds:Signature xmlns:ds="{NAMES["ds"]}">{signed.decode()}
<ds:SignatureValue>{_text(value)}</ds:SignatureValue>
<ds:KeyInfo><ds:X509Data>{certificate}</ds:X509Data></ds:KeyInfo></ds:Signature>"""
    assertion.insert(1, etree.fromstring(signature))
    return root


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
