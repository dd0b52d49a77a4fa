"""What a token says, for tests that ask what a provider put in."""

import json
from base64 import urlsafe_b64decode
from typing import Any


def claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified."""
    payload = token.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
