"""What an identity provider says of itself in its metadata (SAML metadata, 2.4.3). Pure."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, load_der_x509_certificate

from app.auth.providers.saml.errors import Refused
from app.auth.providers.saml.xml import METADATA, NAMES, PROTOCOL, REDIRECT, Element, parse, text_of

WHAT = "the metadata"


@dataclass(frozen=True)
class Metadata:
    """An identity provider: its id, where logins go, and the certificates it may sign with."""

    entity_id: str
    login_url: str
    logout_url: str | None
    certificates: frozenset[Certificate]


def read_metadata(xml: bytes, now: datetime) -> Metadata:
    """The identity provider in a metadata document. Raises Refused, which names what is missing."""
    root = parse(xml, WHAT, comments=True)
    entities = (
        [root]
        if root.tag == f"{{{METADATA}}}EntityDescriptor"
        else root.findall(".//md:EntityDescriptor", NAMES)
    )
    found = [
        (entity, role)
        for entity in entities
        for role in entity.iterfind("./md:IDPSSODescriptor", NAMES)
        if PROTOCOL in role.get("protocolSupportEnumeration", "").split()
    ]
    if len(found) != 1:
        raise Refused(
            f"the metadata describes {len(found)} identity providers of SAML 2.0; "
            "give the metadata of the one that is meant"
        )
    entity, role = found[0]
    _check_age(root, entity, now)
    login_url = _endpoint(role, "SingleSignOnService")
    if not entity.get("entityID") or login_url is None:
        raise Refused(
            "the metadata has no entityID, or no SingleSignOnService with the binding HTTP-Redirect"
        )
    return Metadata(
        entity.get("entityID"), login_url, _endpoint(role, "SingleLogoutService"), _certificates(role)
    )


def _check_age(root: Element, entity: Element, now: datetime) -> None:
    for element in (root, entity):
        end = element.get("validUntil")
        if end is None:
            continue
        try:
            over = datetime.fromisoformat(end).astimezone(UTC) <= now
        except (ValueError, OverflowError):
            raise Refused("the metadata's validUntil is no time") from None
        if over:
            raise Refused(f"the metadata was valid until {end}; get it again from the identity provider")


def _endpoint(role: Element, name: str) -> str | None:
    for service in role.iterfind(f"./md:{name}", NAMES):
        location = service.get("Location", "")
        if service.get("Binding") == REDIRECT and location.startswith(("https://", "http://")):
            return str(location)
    return None


def _certificates(role: Element) -> frozenset[Certificate]:
    keys = [
        key for key in role.iterfind("./md:KeyDescriptor", NAMES) if key.get("use", "signing") == "signing"
    ]
    found = frozenset(
        _certificate(text_of(element))
        for key in keys
        for element in key.iterfind("./ds:KeyInfo/ds:X509Data/ds:X509Certificate", NAMES)
    )
    if not found:
        raise Refused("the metadata has no certificate for signing (KeyDescriptor with an X509Certificate)")
    return found


def _certificate(text: str) -> Certificate:
    try:
        certificate = load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        key = certificate.public_key()
    except Exception:  # noqa: BLE001  (certificates are wrong in many ways)
        raise Refused("the metadata has a certificate that cannot be read") from None
    rsa = isinstance(key, RSAPublicKey) and key.key_size >= 2048
    if not rsa and not (isinstance(key, EllipticCurvePublicKey) and key.key_size >= 256):
        raise Refused("the metadata has a certificate whose key is neither RSA of 2048 bits nor EC of 256")
    return certificate
