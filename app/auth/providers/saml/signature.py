"""The one assertion of a response, as far as the identity provider's signature covers it (SAML core, 5)."""

from collections.abc import Collection

from cryptography.x509 import Certificate
from lxml import etree  # type: ignore[import-untyped]
from minisignxml.errors import CertificateMismatch, UnsupportedAlgorithm, VerificationFailed
from minisignxml.verify import extract_verified_element_and_certificate

from app.auth.providers.saml.errors import Refused, UnknownCertificate
from app.auth.providers.saml.xml import ASSERTION, NAMES, Element, only

_TAG = f"{{{ASSERTION}}}Assertion"


def verified_assertion(response: Element, certificates: Collection[Certificate]) -> Element:
    """The assertion, read again from the very bytes that its own signature covers.

    There must be one assertion in the whole response, and it is verified as a document of its own: nothing
    else of the response can be taken for it, wherever it was moved. RSA with SHA-256 only.
    Raises Refused, and UnknownCertificate where no certificate of the metadata made the signature.
    """
    if response.find(".//saml:EncryptedAssertion", NAMES) is not None:
        raise Refused(
            "the assertion is encrypted, which Gatepost does not read; "
            "turn encryption of assertions off at the identity provider (the response travels by TLS)"
        )
    if len(response.findall(".//saml:Assertion", NAMES)) > 1:
        raise Refused("the response has more than one assertion, of which one may be forged")
    assertion = only(response, "./saml:Assertion", "the response")
    signatures = assertion.findall(".//ds:Signature", NAMES)
    if not signatures:
        raise Refused(
            "the assertion is not signed; have the identity provider sign assertions, not the response alone"
        )
    if len(signatures) > 1 or signatures[0].getparent() is not assertion:
        raise Refused("the assertion does not have exactly one signature as its own child")
    if any(found.get("PrefixList") for found in signatures[0].iterfind(".//ec:InclusiveNamespaces", NAMES)):
        raise Refused(
            "the signature names inclusive namespaces, which Gatepost does not read; "
            "have the identity provider sign with plain exclusive canonicalization"
        )
    verified = _verified(assertion, certificates)
    if verified.tag != _TAG or verified.get("ID") != assertion.get("ID") or not verified.get("ID"):
        raise Refused("the signature covers something else than the assertion")
    return verified


def _verified(assertion: Element, certificates: Collection[Certificate]) -> Element:
    try:
        xml = etree.tostring(assertion, method="c14n", exclusive=True)
        element, _ = extract_verified_element_and_certificate(xml=xml, certificates=certificates)
    except CertificateMismatch:
        raise UnknownCertificate(
            "the assertion is signed with a certificate that the identity provider's metadata does not have; "
            "renew the metadata if its certificate has changed"
        ) from None
    except UnsupportedAlgorithm:
        raise Refused(
            "the signature uses an algorithm that is not accepted; "
            "have the identity provider sign with RSA-SHA256 and exclusive canonicalization"
        ) from None
    except VerificationFailed:
        raise Refused(
            "the signature does not fit the assertion: it was altered after it was signed"
        ) from None
    except Exception:  # noqa: BLE001  (whatever a verifier says of forged input but yes is a no)
        raise Refused(
            "the signature cannot be read; it needs one reference to the assertion and the certificate "
            "as one X509Certificate in KeyInfo"
        ) from None
    return element
