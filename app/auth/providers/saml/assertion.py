"""Who a verified assertion is about, and whether it is for us and for now (SAML profiles, 4.1.4). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lxml import etree  # type: ignore[import-untyped]

from app.auth.providers.saml.errors import Refused
from app.auth.providers.saml.xml import ASSERTION, NAMES, Element, only, text_of

SKEW = timedelta(seconds=60)
"""How far the clocks of provider and gateway may differ."""
WHAT = "the assertion"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_CONDITIONS = {f"{{{ASSERTION}}}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Expected:
    """What an assertion must name: the provider, us, and the address it was posted to."""

    issuer: str
    audience: str
    recipient: str


@dataclass(frozen=True)
class Assertion:
    """What a checked assertion says; nobody accepts it after `ends_at` (seconds since the epoch)."""

    id: str
    in_response_to: str
    ends_at: float
    name_id: str
    name_id_format: str
    attributes: Mapping[str, list[str]]


def check(assertion: Element, expected: Expected, now: datetime) -> Assertion:
    """Read an assertion whose signature was verified. Raises Refused."""
    if assertion.get("Version") != "2.0":
        raise Refused("the assertion is not of SAML 2.0")
    if (issuer := text_of(only(assertion, "./saml:Issuer", WHAT))) != expected.issuer:
        raise Refused(f"the assertion is from {issuer[:200]!r}, and the metadata is of {expected.issuer!r}")
    conditions_end = _check_conditions(only(assertion, "./saml:Conditions", WHAT), expected, now)
    subject = only(assertion, "./saml:Subject", WHAT)
    confirmation = _confirmation(subject, expected, now)
    statement = assertion.find("./saml:AuthnStatement", NAMES)
    if statement is None:
        raise Refused("the assertion does not say that anybody logged in (it has no AuthnStatement)")
    _check_end(statement, "SessionNotOnOrAfter", now)
    name_id = only(subject, "./saml:NameID", "the assertion's subject")
    end = _instant(confirmation, "NotOnOrAfter")
    assert end is not None  # noqa: S101  (_confirmation has seen it)
    return Assertion(
        id=assertion.get("ID"),
        in_response_to=confirmation.get("InResponseTo"),
        ends_at=(min(end, conditions_end or end) + SKEW).timestamp(),
        name_id=text_of(name_id),
        name_id_format=name_id.get("Format", ""),
        attributes=_attributes(assertion),
    )


def _check_conditions(conditions: Element, expected: Expected, now: datetime) -> datetime | None:
    if unknown := [etree.QName(child).localname for child in conditions if child.tag not in _CONDITIONS]:
        raise Refused(f"the assertion has a condition that is not known: {unknown[0]}")
    _check_start(conditions, now)
    restrictions = conditions.findall("./saml:AudienceRestriction", NAMES)
    for restriction in restrictions or [conditions]:
        audiences = [text_of(found) for found in restriction.iterfind("./saml:Audience", NAMES)]
        if expected.audience not in audiences:
            named = ", ".join(repr(audience[:200]) for audience in audiences[:5]) or "nobody"
            raise Refused(
                f"the assertion is for {named}; "
                f"enter {expected.audience!r} as entity id (audience) at the identity provider"
            )
    return _check_end(conditions, "NotOnOrAfter", now)


def _confirmation(subject: Element, expected: Expected, now: datetime) -> Element:
    bearer = [
        found
        for found in subject.iterfind("./saml:SubjectConfirmation", NAMES)
        if found.get("Method") == _BEARER
    ]
    if len(bearer) != 1:
        raise Refused("the assertion does not have exactly one bearer confirmation")
    data = only(bearer[0], "./saml:SubjectConfirmationData", "the assertion's confirmation")
    if data.get("Recipient") != expected.recipient:
        raise Refused(
            f"the assertion is for another address than {expected.recipient}; "
            "enter that one as assertion consumer service at the identity provider"
        )
    _check_start(data, now)
    if _check_end(data, "NotOnOrAfter", now) is None:
        raise Refused("the assertion's confirmation has no end (NotOnOrAfter)")
    if not data.get("InResponseTo"):
        raise Refused(
            "the assertion answers no request (it has no InResponseTo); "
            "start at the gateway's login page, not at the identity provider"
        )
    return data


def _check_start(element: Element, now: datetime) -> None:
    start = _instant(element, "NotBefore")
    if start is not None and now + SKEW < start:
        raise Refused(f"the assertion is valid only from {start:%FT%TZ}; compare the clocks of both machines")


def _check_end(element: Element, name: str, now: datetime) -> datetime | None:
    end = _instant(element, name)
    if end is not None and now - SKEW >= end:
        raise Refused(
            f"the assertion has expired at {end:%FT%TZ}; log in again, or compare the clocks of both machines"
        )
    return end


def _instant(element: Element, name: str) -> datetime | None:
    text = element.get(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text if _INSTANT.fullmatch(text) else "").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(f"the assertion's {name} is no time with a zone") from None


def _attributes(assertion: Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for attribute in assertion.iterfind("./saml:AttributeStatement/saml:Attribute", NAMES):
        values = [text_of(value) for value in attribute.iterfind("./saml:AttributeValue", NAMES)]
        found.setdefault(attribute.get("Name", ""), []).extend(value for value in values if value)
    return found
