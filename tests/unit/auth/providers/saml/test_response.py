from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from lxml import etree
from minisignxml.config import SigningConfig

from app.auth.providers.saml.errors import Refused, UnknownCertificate
from tests.saml_provider import NAMES, REQUEST, Saying, at, known, read, signed, signer
from tests.unit.auth.providers.saml import opensaml


def test_a_signed_assertion_says_who_it_is_and_which_request_it_answers() -> None:
    found = read(Saying().signed())
    assert (found.name_id, found.in_response_to) == ("alice", REQUEST)
    assert found.attributes == {"groups": ["fin-team", "staff"]}


def test_a_response_that_is_signed_as_well_is_read_all_the_same() -> None:
    response = Saying().signed()
    assert read(signed(response, response)).name_id == "alice"


def test_a_certificate_that_comes_and_one_that_goes_are_both_good() -> None:
    old, new = signer("old"), signer("new")
    for by in (old, new):
        assert read(Saying().signed(by), known(old, new)).name_id == "alice"


def test_another_certificate_is_told_apart_so_that_metadata_can_be_read_again() -> None:
    with pytest.raises(UnknownCertificate):
        read(Saying().signed(signer("new")), known(signer("old")))


def test_an_unsigned_assertion_is_refused() -> None:
    with pytest.raises(Refused, match="not signed"):
        read(Saying().tree())


def test_a_signature_on_the_response_alone_is_refused() -> None:
    response = Saying().tree()
    with pytest.raises(Refused, match="not the response alone"):
        read(signed(response, response))


def test_an_assertion_that_was_altered_is_refused() -> None:
    response = Saying().signed()
    response.find(".//a:NameID", NAMES).text = "admin"
    with pytest.raises(Refused, match="altered"):
        read(response)


def test_a_foreign_key_under_the_known_certificate_is_refused() -> None:
    forged = replace(signer("evil"), certificate=signer().certificate)
    with pytest.raises(UnknownCertificate):
        read(Saying().signed(forged))


@pytest.mark.parametrize(
    "config",
    [
        SigningConfig(signature_method=hashes.SHA1(), digest_method=hashes.SHA256()),
        SigningConfig(signature_method=hashes.SHA256(), digest_method=hashes.SHA1()),
    ],
)
def test_sha_1_is_refused(config: SigningConfig) -> None:
    with pytest.raises(Refused, match="RSA-SHA256"):
        read(Saying().signed(config=config))


@pytest.mark.parametrize(
    ("saying", "reason"),
    [
        (Saying(audience="https://other.example"), "as entity id"),
        (Saying(recipient="https://gate.example/saml/other/acs"), "assertion consumer service"),
        (Saying(destination="https://gate.example/saml/other/acs"), "assertion consumer service"),
        (Saying(sender="https://other.example"), "not from"),
        (Saying(issuer="https://other.example"), "the metadata is of"),
        (Saying(request=None), "answers no request"),
        (Saying(answered="_another"), "different requests"),
        (Saying(starts=at(61)), "valid only from"),
        (Saying(ends=at(-60)), "has expired"),
        (Saying(ends="2026-11-25T13:00:00"), "no time with a zone"),
        (Saying(status="urn:oasis:names:tc:SAML:2.0:status:Responder"), "Responder"),
        (Saying(conditions="<saml:Condition/>"), "condition that is not known"),
        (
            Saying(
                conditions="<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>"
            ),
            "is for 'x'",
        ),
    ],
)
def test_what_is_not_for_us_and_now_is_refused(saying: Saying, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read(saying.signed())


@pytest.mark.parametrize(
    ("element", "member", "value", "reason"),
    [
        ("Assertion", "Version", "1.1", "not of SAML 2.0"),
        ("Conditions", "NotBefore", at(61), "valid only from"),
        ("Conditions", "NotOnOrAfter", at(-60), "has expired"),
        ("SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key", "one bearer"),
        ("SubjectConfirmationData", "NotBefore", at(61), "valid only from"),
        ("SubjectConfirmationData", "NotOnOrAfter", at(-60), "has expired"),
        ("SubjectConfirmationData", "NotOnOrAfter", "", "no time with a zone"),
        ("AuthnStatement", "SessionNotOnOrAfter", at(-60), "has expired"),
    ],
)
def test_each_condition_counts_by_itself(element: str, member: str, value: str, reason: str) -> None:
    response = Saying().tree()
    response.find(f".//a:{element}", NAMES).set(member, value)
    with pytest.raises(Refused, match=reason):
        read(signed(response, response.find("a:Assertion", NAMES)))


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ("Issuer", "no Issuer"),
        ("Conditions", "no Conditions"),
        ("AudienceRestriction", "for nobody"),
        ("NameID", "no NameID"),
        ("SubjectConfirmation", "one bearer"),
        ("AuthnStatement", "anybody logged in"),
    ],
)
def test_what_is_missing_is_not_taken_for_granted(element: str, reason: str) -> None:
    response = Saying().tree()
    assertion = response.find("a:Assertion", NAMES)
    found = assertion.find(f".//a:{element}", NAMES)
    found.getparent().remove(found)
    with pytest.raises(Refused, match=reason):
        read(signed(response, assertion))


def test_a_confirmation_without_an_end_is_refused() -> None:
    response = Saying().tree()
    del response.find(".//a:SubjectConfirmationData", NAMES).attrib["NotOnOrAfter"]
    with pytest.raises(Refused, match="no end"):
        read(signed(response, response.find("a:Assertion", NAMES)))


@pytest.mark.parametrize("end", [at(-59), "2026-11-25T12:00:00.1234567Z", "2026-11-25T14:00:00+01:00"])
def test_clocks_may_differ_by_a_minute_and_times_be_written_in_many_ways(end: str) -> None:
    assert read(Saying(ends=end).signed()).ends_at > 0


def test_an_encrypted_assertion_is_refused_with_the_fix() -> None:
    response = Saying().tree()
    response.find("a:Assertion", NAMES).tag = f"{{{NAMES['a']}}}EncryptedAssertion"
    with pytest.raises(Refused, match="turn encryption of assertions off"):
        read(response)


def test_a_comment_in_a_name_is_refused() -> None:
    response = Saying(name_id="admin<!-- -->@evil.example").signed()
    assert b"admin<!-- -->@evil" in etree.tostring(response)
    with pytest.raises(Refused, match="comment"):
        read(response)


def test_a_signature_with_inclusive_namespaces_is_read() -> None:
    assert read(opensaml.response()).attributes == {"groups": ["fin-team", "staff"]}
