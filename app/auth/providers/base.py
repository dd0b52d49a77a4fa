from dataclasses import dataclass, field
from typing import Protocol

from app.auth.login.attempt import Attempt


@dataclass(frozen=True)
class Person:
    """Somebody an identity provider vouches for; `subject` is `<provider>:<id there>`, `groups` are raw."""

    subject: str
    provider: str
    groups: list[str]
    name: str = ""
    mail: str = ""
    seen_at: float = field(default=0.0, compare=False)


def provider_of(subject: str) -> str:
    """The name of the provider that a subject begins with."""
    return subject.partition(":")[0]


@dataclass(frozen=True)
class Arrival:
    """A login that a provider vouches for, with what it gave to ask again later and to log out there."""

    person: Person
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)


class LoginRefused(Exception):  # noqa: N818  (what happened)
    """The provider, or what it sent, lets nobody in; the message is for the person, without secrets."""


class ProviderUnavailable(Exception):  # noqa: N818  (what happened)
    """The provider does not answer, or not as it must; the message names it, the reason and the fix."""


class PasswordProvider(Protocol):
    """Where people log in with a password on our own page."""

    async def authenticate(self, username: str, password: str) -> Person | None:
        """The person these belong to; None after the same time for an unknown name and a wrong password."""
        ...


class BrowserProvider(Protocol):
    """Where the browser is sent to log in. How it comes back is the provider's own endpoint.

    `outlives_browser` is whether `renew` works on after the person has logged out there; then a refusal says
    that the person is gone, and not only the session.
    """

    outlives_browser: bool

    async def begin(self, attempt: Attempt) -> str:
        """The URL to send the browser to. Raises ProviderUnavailable."""
        ...

    async def renew(self, arrival: Arrival) -> Arrival | None:
        """Ask the provider again who this is, by what it gave at the login; None where it has no such way.

        Raises LoginRefused where it no longer vouches for the person, ProviderUnavailable.
        """
        ...

    async def forget(self, arrival: Arrival) -> None:
        """Have the provider end what it gave to ask again with, if it can. Raises ProviderUnavailable."""
        ...

    async def logout_url(self, arrival: Arrival, back_to: str) -> str | None:
        """Where the browser ends its session at the provider too; None where there is no such place."""
        ...
