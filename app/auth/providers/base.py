from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Person:
    """Somebody an identity provider vouches for; `subject` is `<provider>:<name>`."""

    subject: str
    groups: list[str]


class Provider(Protocol):
    """Where people come from. Whatever way it takes, it ends in a Person, and a Person gets a session."""

    async def authenticate(self, username: str, password: str) -> Person | None:
        """The person these belong to; None after the same time for an unknown name and a wrong password."""
        ...
