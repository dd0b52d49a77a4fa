"""Signature wrapping (Somorovsky et al., "On Breaking SAML"): a good signature beside a forged assertion."""

import copy
from collections.abc import Callable

import pytest
from lxml import etree

from app.auth.providers.saml.errors import Refused
from tests.saml_provider import NAMES, Saying, read, signed

Element = etree._Element
FORGED = "_forged"


def _assertion(response: Element) -> Element:
    return response.find("a:Assertion", NAMES)


def _without_signature(element: Element) -> Element:
    bare = copy.deepcopy(element)
    for signature in bare.findall(".//ds:Signature", NAMES):
        signature.getparent().remove(signature)
    return bare


def _forged(response: Element) -> Element:
    """The assertion, unsigned, with another id, about somebody else."""
    forged = _without_signature(_assertion(response))
    forged.set("ID", FORGED)
    forged.find(".//a:NameID", NAMES).text = "admin"
    return forged


def _under(parent: Element, name: str, *children: Element) -> Element:
    box = etree.SubElement(parent, name)
    box.extend(children)
    return box


def _response_wrapped(keep_signature_outside: bool) -> Element:
    """XSW 1 and 2: the whole signed response goes into the signature of a forged one, or before it."""
    response = Saying().tree()
    whole = signed(response, response)
    evil = _without_signature(whole)
    evil.set("ID", "_evil")
    evil.find(".//a:NameID", NAMES).text = "admin"
    signature = copy.deepcopy(whole.find("ds:Signature", NAMES))
    original = _without_signature(whole)
    if keep_signature_outside:
        evil.insert(1, original)
        evil.insert(2, signature)
    else:
        _under(signature, f"{{{NAMES['ds']}}}Object", original)
        evil.insert(1, signature)
    return evil


def _xsw3() -> Element:
    response = Saying().signed()
    response.insert(response.index(_assertion(response)), _forged(response))
    return response


def _xsw4() -> Element:
    response = Saying().signed()
    original, forged = _assertion(response), _forged(response)
    response.append(forged)
    forged.append(original)
    return response


def _xsw5() -> Element:
    """The signed assertion's content is the attacker's; the original, without signature, comes last."""
    response = Saying().signed()
    evil, original = _assertion(response), _without_signature(_assertion(response))
    evil.set("ID", FORGED)
    evil.find(".//a:NameID", NAMES).text = "admin"
    response.append(original)
    return response


def _xsw6() -> Element:
    response = Saying().signed()
    evil, original = _assertion(response), _without_signature(_assertion(response))
    evil.set("ID", FORGED)
    evil.find(".//a:NameID", NAMES).text = "admin"
    evil.find("ds:Signature", NAMES).append(original)
    return response


def _xsw7() -> Element:
    response = Saying().signed()
    original, forged = _assertion(response), _forged(response)
    response.replace(original, forged)
    _under(response, f"{{{NAMES['p']}}}Extensions", original)
    return response


def _xsw8() -> Element:
    response = Saying().signed()
    evil, original = _assertion(response), _without_signature(_assertion(response))
    evil.set("ID", FORGED)
    evil.find(".//a:NameID", NAMES).text = "admin"
    _under(evil.find("ds:Signature", NAMES), f"{{{NAMES['ds']}}}Object", original)
    return response


def _in_a_foreign_element() -> Element:
    """The forged assertion is the response's child, and the signed one hides under a name of no schema."""
    response = Saying().signed()
    original, forged = _assertion(response), _forged(response)
    response.replace(original, forged)
    _under(response, "{urn:any}box", original)
    forged.insert(1, copy.deepcopy(original.find("ds:Signature", NAMES)))
    return response


def _two_of_one_id() -> Element:
    response = Saying().signed()
    original = _assertion(response)
    forged = copy.deepcopy(original)
    forged.find(".//a:NameID", NAMES).text = "admin"
    response.insert(0, forged)
    return response


def _signature_of_a_part() -> Element:
    """What is signed is not the assertion, but an element inside it that has its id."""
    response = Saying(id=FORGED, name_id="admin").tree()
    part = etree.SubElement(_assertion(response), "{urn:any}part", ID="_part")
    with_part = signed(response, part)
    assertion = _assertion(with_part)
    assertion.insert(1, with_part.find(".//ds:Signature", NAMES))
    return with_part


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda: _response_wrapped(keep_signature_outside=False),
        lambda: _response_wrapped(keep_signature_outside=True),
        _xsw3,
        _xsw4,
        _xsw5,
        _xsw6,
        _xsw7,
        _xsw8,
        _in_a_foreign_element,
        _two_of_one_id,
    ],
    ids=["1", "2", "3", "4", "5", "6", "7", "8", "foreign element", "one id twice"],
)
def test_a_forged_assertion_beside_a_signed_one_is_refused(wrapped: Callable[[], Element]) -> None:
    response = wrapped()
    assert b"admin" in etree.tostring(response)
    with pytest.raises(Refused, match="more than one assertion"):
        read(response)


def test_a_signature_of_a_part_of_the_assertion_is_refused() -> None:
    with pytest.raises(Refused, match="covers something else"):
        read(_signature_of_a_part())


@pytest.mark.parametrize("twice", [False, True])
def test_the_signature_is_at_its_place_alone(twice: bool) -> None:
    """Moved, it still fits, since it is left out of what it covers."""
    response = Saying().signed()
    signature = _assertion(response).find("ds:Signature", NAMES)
    response.find(".//a:Subject", NAMES).append(copy.deepcopy(signature) if twice else signature)
    with pytest.raises(Refused, match="exactly one signature"):
        read(response)


def test_a_signed_assertion_from_elsewhere_counts_as_itself_wherever_its_response_is_from() -> None:
    """Nothing outside the assertion says who somebody is, so a forged envelope changes nothing of it."""
    response = Saying().signed()
    response.set("ID", "_other")
    etree.SubElement(response, "{urn:any}who").text = "admin"
    assert read(response).name_id == "alice"
