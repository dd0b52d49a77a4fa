"""The form of refresh tokens: `gpr_<grant>.<family><secret>`. Pure.

The family stays the same while the secret rotates, so that a secret which was used before (family right,
secret not) is told from one that somebody made up who only knows the grant's id.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

from app.core.sealing import Sealer

PREFIX = "gpr_"
_FORM = re.compile(
    rf"{PREFIX}(?P<grant>[0-9a-f]{{32}})\.(?P<family>[\w-]{{22}})(?P<secret>[\w-]{{43}})", re.ASCII
)
State = Literal["current", "previous", "spent", "foreign"]


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

    def following(self, seed: bytes) -> "RefreshToken":
        """The next one of the family: always the same one, so that whoever asks twice holds one token."""
        made = hmac.digest(seed, self.secret.encode(), "sha256")
        return RefreshToken(self.grant, self.family, base64.urlsafe_b64encode(made).rstrip(b"=").decode())

    @property
    def value(self) -> str:
        """What the client gets."""
        return f"{PREFIX}{self.grant}.{self.family}{self.secret}"

    @property
    def digest(self) -> str:
        """What the store keeps: two SHA-256, by a colon."""
        return f"{_sha256(self.family)}:{_sha256(self.secret)}"

    def state(self, current: str, previous: str | None) -> State:
        """What this token is to the digests of the current one and of the one before it."""
        if not hmac.compare_digest(_sha256(self.family), current.partition(":")[0]):
            return "foreign"
        if hmac.compare_digest(self.digest, current):
            return "current"
        return "previous" if previous and hmac.compare_digest(self.digest, previous) else "spent"


def sealed_seed(sealer: Sealer, grant: str) -> str:
    """What the refresh tokens of a new grant will follow from."""
    return sealer.seal(secrets.token_bytes(32), f"refresh/{grant}")


def opened_seed(sealer: Sealer, grant: str, sealed: str) -> bytes:
    """The seed of a grant. Raises SealError."""
    return sealer.open(sealed, f"refresh/{grant}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
