"""What a token says, for tests that ask what a provider put in."""

import json
from base64 import urlsafe_b64decode
from typing import Any


def header(token: str) -> dict[str, Any]:
    """The header of a JWT."""
    return _part(token, 0)


def claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified."""
    return _part(token, 1)


def _part(token: str, number: int) -> dict[str, Any]:
    text = token.split(".")[number]
    return dict(json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))))
