"""From a provider's claims to a person, by the paths that are configured. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.auth.providers.base import LoginRefused, Person
from app.core.models.identity_provider import Claims

LONGEST_SUBJECT = 256
LONGEST_TEXT = 256
MOST_GROUPS = 5000


def value_at(claims: Mapping[str, Any], path: str) -> object:
    """What is at a path; None for nothing.

    A claim of exactly that name comes first, since a name may be a URL; otherwise `/` goes into an object.
    """
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("/"):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def first_text(claims: Mapping[str, Any], paths: Iterable[str]) -> str:
    """The first text at one of the paths; empty for none."""
    values = (value_at(claims, path) for path in paths)
    return next((value for value in values if isinstance(value, str) and value), "")


def groups_in(claims: Mapping[str, Any], paths: Iterable[str]) -> list[str]:
    """All groups at all of the paths, as they are written there: texts, or lists of texts."""
    found: list[str] = []
    for path in paths:
        value = value_at(claims, path)
        values = value if isinstance(value, list) else [value]
        found += [
            one
            for one in values
            if isinstance(one, str) and 0 < len(one) <= LONGEST_TEXT and one.isprintable()
        ]
    return sorted(set(found))[:MOST_GROUPS]


def missing(claims: Mapping[str, Any], paths: Claims) -> bool:
    """Whether something that is configured is not among the claims, so that it is worth asking further."""
    texts = (paths.subject, paths.name, paths.mail)
    return not all(first_text(claims, each) for each in texts) or not names_groups(claims, paths)


def names_groups(claims: Mapping[str, Any], paths: Claims) -> bool:
    """Whether the claims say in which groups somebody is, if only that it is none."""
    return any(value_at(claims, path) is not None for path in paths.groups)


def person_in(claims: Mapping[str, Any], provider: str, paths: Claims) -> Person:
    """Who the claims are about. Raises LoginRefused where they name nobody."""
    subject = subject_in(claims, provider, paths)
    if subject is None:
        raise LoginRefused(
            f"{provider} sends no {' or '.join(paths.subject)} that is a plain line of text to know a person "
            "by; have it send that claim, or name another in claims.subject"
        )
    return Person(
        subject,
        provider,
        groups_in(claims, paths.groups),
        name=first_text(claims, paths.name)[:LONGEST_TEXT],
        mail=first_text(claims, paths.mail)[:LONGEST_TEXT],
    )


def subject_in(claims: Mapping[str, Any], provider: str, paths: Claims) -> str | None:
    """The subject, as it is called here; None for none that could be used."""
    found = first_text(claims, paths.subject)
    usable = 0 < len(found) <= LONGEST_SUBJECT and found.isprintable()
    return f"{provider}:{found}" if usable else None
