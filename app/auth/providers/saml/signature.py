"""The one assertion of a response, as far as the identity provider's signature covers it (SAML core, 5)."""

from collections.abc import Collection

from cryptography.x509 import Certificate
from lxml import etree  # type: ignore[import-untyped]
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidInput, InvalidSignature
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from app.auth.providers.saml.errors import Refused, UnknownCertificate
from app.auth.providers.saml.xml import ASSERTION, NAMES, Element, only

_SIGNATURES = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_TAG = f"{{{ASSERTION}}}Assertion"


def verified_assertion(response: Element, certificates: Collection[Certificate]) -> Element:
    """The assertion, read again from the very bytes that its own signature covers.

    There must be one assertion in the whole response, and it is verified as a document of its own: nothing
    else of the response can be taken for it, wherever it was moved. RSA and ECDSA, with SHA-256 or longer.
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
    verified = _verified(assertion, certificates)
    if verified.tag != _TAG or verified.get("ID") != assertion.get("ID") or not verified.get("ID"):
        raise Refused("the signature covers something else than the assertion")
    return verified


def _verified(assertion: Element, certificates: Collection[Certificate]) -> Element:
    # Not canonical yet: namespaces that the signature lists, such as those of xsi:type, must stay in scope.
    xml = etree.tostring(assertion, with_tail=False)
    for certificate in certificates:
        try:
            found = XMLVerifier().verify(
                xml, x509_cert=certificate, id_attribute="ID", expect_config=_config(certificate)
            )
        except InvalidDigest:
            raise Refused(
                "the signature does not fit the assertion: it was altered after it was signed"
            ) from None
        except InvalidSignature:
            continue
        except (InvalidInput, ValueError):
            raise Refused(
                "the signature uses an algorithm that is not accepted, or another form; "
                "have the identity provider sign with RSA-SHA256 and exclusive canonicalization"
            ) from None
        except Exception:  # noqa: BLE001  (whatever a verifier says of forged input but yes is a no)
            raise Refused("the signature cannot be read") from None
        assert isinstance(found, VerifyResult)  # noqa: S101  (one reference is expected, and checked)
        return found.signed_xml
    raise UnknownCertificate(
        "the assertion is signed with no certificate of the identity provider's metadata; "
        "renew the metadata if its certificate has changed"
    )


def _config(certificate: Certificate) -> SignatureConfiguration:
    return SignatureConfiguration(
        location="./",
        signature_methods=_SIGNATURES,
        digest_algorithms=_DIGESTS,
        ignore_ambiguous_key_info=True,
        verification_time=certificate.not_valid_before_utc,  # the metadata alone says when a certificate ends
    )
