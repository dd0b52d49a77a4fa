import pytest

from app.auth.providers.saml.errors import Refused
from app.auth.providers.saml.metadata import read_metadata
from tests.saml_provider import ISSUER, NOW, at, metadata, signer

BINDING = b"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


def test_metadata_says_who_the_provider_is_where_logins_go_and_what_it_signs_with() -> None:
    found = read_metadata(metadata(signer("old"), signer("new")), NOW)
    assert (found.entity_id, found.login_url) == (ISSUER, f"{ISSUER}/login?a=1")
    assert found.logout_url == f"{ISSUER}/logout"
    assert found.certificates == {signer("old").certificate, signer("new").certificate}


def test_comments_and_a_list_of_one_are_taken() -> None:
    inner = metadata().replace(b"<md:IDPSSO", b"<!-- ours --><md:IDPSSO")
    outer = (
        b'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">%s</md:EntitiesDescriptor>'
    )
    assert read_metadata(outer % inner, NOW).entity_id == ISSUER


def test_a_certificate_for_encryption_signs_nothing() -> None:
    keys = metadata(signer("a"), signer("b")).replace(b'use="signing"', b'use="encryption"', 1)
    assert read_metadata(keys, NOW).certificates == {signer("b").certificate}


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"<html/>", "describes 0 identity providers"),
        (b"{}", "not well-formed"),
        (metadata().replace(b"SingleSignOnService", b"SingleOtherService"), "no SingleSignOnService"),
        (metadata().replace(BINDING, b"urn:other"), "HTTP-Redirect"),
        (metadata().replace(f"{ISSUER}/login".encode(), b"javascript:alert(1)//"), "SingleSignOnService"),
        (metadata().replace(b'use="signing"', b'use="encryption"'), "no certificate for signing"),
        (metadata().replace(signer().text.encode(), b"AAAA"), "cannot be read"),
        (metadata(signer("short", 1024)), "2048"),
        (metadata(more=f'validUntil="{at(-1)}"'), "was valid until"),
        (metadata(more='validUntil="soon"'), "no time"),
    ],
)
def test_metadata_that_cannot_be_used_says_why(xml: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read_metadata(xml, NOW)
