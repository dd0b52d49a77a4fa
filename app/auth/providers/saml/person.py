"""From what an assertion says to a person, by the names that are configured. Pure."""

from collections.abc import Iterable

from app.auth.providers.base import Person
from app.auth.providers.saml.assertion import Assertion
from app.auth.providers.saml.errors import Refused
from app.core.models.identity_provider import Claims

NAME_ID = "NameID"
"""Stands among the names of attributes for the subject's own."""
LONGEST_SUBJECT = 256
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"


def person_in(assertion: Assertion, provider: str, claims: Claims) -> Person:
    """Who the assertion is about. Raises Refused where it names nobody, or by a name that does not last."""
    name, found = _first(assertion, claims.subject)
    if not found:
        raise Refused(
            f"the assertion has no {' or '.join(claims.subject)} to know the person by; have the identity "
            "provider send it, or name another attribute in claims.subject"
        )
    if name == NAME_ID and assertion.name_id_format == _TRANSIENT:
        raise Refused(
            "the NameID is transient, so that a person would be another one at each login; have the identity "
            "provider send a persistent one, or name an attribute in claims.subject"
        )
    if len(found) > 1 or len(found[0]) > LONGEST_SUBJECT or not found[0].isprintable():
        raise Refused(
            f"the assertion's {name} is not one plain line of at most {LONGEST_SUBJECT} characters; "
            "name another attribute in claims.subject"
        )
    groups = [group for path in claims.groups for group in _values(assertion, path)]
    return Person(
        f"{provider}:{found[0]}",
        provider,
        groups,
        name=next(iter(_first(assertion, claims.name)[1]), ""),
        mail=next(iter(_first(assertion, claims.mail)[1]), ""),
    )


def _first(assertion: Assertion, names: Iterable[str]) -> tuple[str, list[str]]:
    return next(((name, values) for name in names if (values := _values(assertion, name))), ("", []))


def _values(assertion: Assertion, name: str) -> list[str]:
    if name == NAME_ID:
        return [assertion.name_id] if assertion.name_id else []
    return assertion.attributes.get(name, [])
