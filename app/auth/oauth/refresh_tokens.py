"""The form of refresh tokens: `gpr_<grant>.<family><secret>`. Pure.

The family stays the same while the secret rotates, so that a secret which was used before (family right,
secret not) is told from one that somebody made up who only knows the grant's id.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

PREFIX = "gpr_"
_FORM = re.compile(
    rf"{PREFIX}(?P<grant>[0-9a-f]{{32}})\.(?P<family>[\w-]{{22}})(?P<secret>[\w-]{{43}})", re.ASCII
)
State = Literal["current", "spent", "foreign"]


@dataclass(frozen=True)
class RefreshToken:
    """One refresh token, taken apart."""

    grant: str
    family: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def new(cls, grant: str) -> "RefreshToken":
        """The first one of a grant."""
        return cls(grant, secrets.token_urlsafe(16), secrets.token_urlsafe(32))

    @classmethod
    def parse(cls, value: str) -> "RefreshToken | None":
        """The token of that value; None for what is none."""
        found = _FORM.fullmatch(value)
        return None if found is None else cls(found["grant"], found["family"], found["secret"])

    def rotated(self) -> "RefreshToken":
        """The next one of the family."""
        return RefreshToken(self.grant, self.family, secrets.token_urlsafe(32))

    @property
    def value(self) -> str:
        """What the client gets."""
        return f"{PREFIX}{self.grant}.{self.family}{self.secret}"

    @property
    def digest(self) -> str:
        """What the store keeps: two SHA-256, by a colon."""
        return f"{_sha256(self.family)}:{_sha256(self.secret)}"

    def state(self, digest: str) -> State:
        """What this token is to the digest of the current one."""
        family, _, secret = digest.partition(":")
        if not hmac.compare_digest(_sha256(self.family), family):
            return "foreign"
        return "current" if hmac.compare_digest(_sha256(self.secret), secret) else "spent"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
