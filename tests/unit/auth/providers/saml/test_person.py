import pytest

from app.auth.providers.base import Person
from app.auth.providers.saml.assertion import Assertion
from app.auth.providers.saml.errors import Refused
from app.auth.providers.saml.person import person_in
from app.core.models.identity_provider import Claims, parse_providers

TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
MAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"


def assertion(name_id: str = "alice", kind: str = "", **attributes: list[str]) -> Assertion:
    return Assertion("_1", "_2", 0.0, name_id, kind, attributes)


def test_attributes_are_found_by_their_exact_names() -> None:
    claims = Claims(subject=["NameID"], mail=["mail", MAIL], groups=["groups", "Role"])
    said = assertion(groups=["fin"], Role=["a", "b"], name=["Alice"], **{MAIL: ["alice@example.org"]})
    expected = Person("corp:alice", "corp", ["fin", "a", "b"], name="Alice", mail="alice@example.org")
    assert person_in(said, "corp", claims) == expected


def test_an_attribute_may_be_the_subject() -> None:
    assert person_in(assertion(uid=["a1"]), "corp", Claims(subject=["uid", "NameID"])).subject == "corp:a1"


def test_naming_other_groups_leaves_the_subject_as_it_is() -> None:
    block = '[{"type": "saml", "name": "corp", "metadata_file": "x", "claims": {"groups": ["Role"]}}]'
    assert parse_providers(block)[0].claims.subject == ["NameID"]


def test_the_metadata_s_address_may_have_a_query() -> None:
    block = '[{"type": "saml", "name": "corp", "metadata_url": "https://login.example/metadata.xml?appid=1"}]'
    assert parse_providers(block)[0].metadata_url.endswith("?appid=1")


@pytest.mark.parametrize(
    ("said", "subject", "reason"),
    [
        (assertion(kind=TRANSIENT), "NameID", "transient"),
        (assertion(name_id=""), "NameID", "no NameID"),
        (assertion(), "uid", "no uid"),
        (assertion(uid=["a", "b"]), "uid", "one plain line"),
        (assertion(uid=["a\nb"]), "uid", "one plain line"),
        (assertion(uid=["a" * 257]), "uid", "one plain line"),
    ],
)
def test_a_name_that_is_no_lasting_one_is_refused(said: Assertion, subject: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        person_in(said, "corp", Claims(subject=[subject]))
