import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from app.auth.providers.saml.errors import Refused
from app.auth.providers.saml.metadata import read_metadata
from app.auth.providers.saml.response import read_response
from app.auth.providers.saml.xml import LARGEST
from tests.saml_provider import NOW, Saying, encoded, known, metadata, read

GOOD = etree.tostring(Saying().signed())
BOMB = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><r>&c;</r>"""
FILE = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'


@pytest.mark.parametrize("xml", [BOMB, FILE])
def test_a_document_type_declaration_is_refused_before_anything_is_parsed(xml: bytes) -> None:
    with pytest.raises(Refused, match="document type declaration"):
        read(xml)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "cp037"])
def test_there_is_no_other_encoding_in_which_a_declaration_could_hide(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    for text in (GOOD.decode(), declared + GOOD.decode(), declared + FILE.decode()):
        with pytest.raises(Refused, match=r"UTF-8|document type"):
            read(text.encode(encoding))


@pytest.mark.parametrize(
    "xml",
    [
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE r [+ADwAIQ-ENTITY x "y"+AD4]><r>&x;</r>',
        GOOD.replace(b"<saml:Conditions", b'<saml:Conditions xmlns:r="relative" r:a=""'),
        b"<r>&nbsp;</r>",
        b"<r>" * 100_000,
        b"<r><?php?></r>",
        b"",
        b"\0",
        b"<" * LARGEST,
        GOOD + b" " * LARGEST,
    ],
)
def test_xml_that_no_provider_writes_is_refused(xml: bytes) -> None:
    with pytest.raises(Refused):
        read(xml)


@pytest.mark.parametrize("value", ["", "%", "ü", "AA", base64.urlsafe_b64encode(b"<a>\xfb\xff</a>").decode()])
def test_a_form_value_that_is_no_base64_of_xml_is_refused(value: str) -> None:
    with pytest.raises(Refused):
        read_response(value, known(), None, NOW)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(xml: bytes) -> None:
    for reader in (read, lambda given: read_metadata(given, NOW)):
        with pytest.raises(Refused):
            reader(xml)


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 40), st.binary(max_size=12))
def test_a_good_response_that_was_changed_is_refused_or_says_the_same(at: int, cut: int, put: bytes) -> None:
    try:
        found = read(GOOD[:at] + put + GOOD[at + cut :])
    except Refused:
        return
    assert (found.name_id, found.attributes) == ("alice", {"groups": ["fin-team", "staff"]})


@settings(max_examples=300)
@given(st.integers(0, len(metadata()) - 1), st.integers(0, 40), st.binary(max_size=12))
def test_changed_metadata_is_refused_or_read(at: int, cut: int, put: bytes) -> None:
    whole = metadata()
    try:
        assert read_metadata(whole[:at] + put + whole[at + cut :], NOW).entity_id
    except Refused:
        return


def test_the_form_s_value_may_be_broken_into_lines() -> None:
    text = encoded(GOOD)
    lines = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    assert base64.b64decode(lines) == GOOD
    assert read(base64.b64decode(lines)).name_id == "alice"
