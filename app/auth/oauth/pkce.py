"""Proof Key for Code Exchange (RFC 7636), with S256 alone. Pure."""

import base64
import hashlib
import hmac
import re

from app.auth.oauth.errors import OAuthError

METHOD = "S256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def checked_challenge(challenge: str | None, method: str | None) -> str:
    """The challenge of a request. Raises OAuthError `invalid_request` without one, and for `plain`."""
    if challenge is None or method != METHOD:
        raise OAuthError("invalid_request", f"code_challenge with code_challenge_method={METHOD} is required")
    if not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "code_challenge is not the base64url form of a SHA-256")
    return challenge


def proves(verifier: str | None, challenge: str) -> bool:
    """Whether a verifier of 43 to 128 characters is the one of this challenge."""
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(made, challenge)
