"""An OAuth client that registers itself, and the administrator's browser that lets it in: by plain HTTP."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.e2e.abuse.logins import log_in, session_of
from tests.e2e.stack import Stack

REDIRECT = "https://app.example/callback"


@dataclass(frozen=True)
class OAuthClient:
    """A public client; `client_id` is what its registration gave it."""

    stack: Stack
    client_id: str

    @classmethod
    def register(cls, stack: Stack) -> "OAuthClient":
        """One that the gateway has not seen before."""
        metadata = {
            "redirect_uris": [REDIRECT],
            "client_name": "Tester",
            "token_endpoint_auth_method": "none",
        }
        answer = httpx2.post(f"{stack.url}/oauth/register", json=metadata)
        assert answer.status_code == 201, answer.text
        return cls(stack, answer.json()["client_id"])

    def tokens(self, path: str, *scopes: str) -> dict[str, Any]:
        """What the token endpoint gives for a resource, such as `/mcp/ledger`.

        Before that come a login and a consent to what of these scopes is offered.
        """
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        resource = f"{self.stack.url}{path}"
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "state": "s",
            "resource": resource,
            "scope": " ".join(scopes),
        }
        browser = {"Origin": self.stack.url, **session_of(log_in(self.stack))}
        page = httpx2.get(f"{self.stack.url}/oauth/authorize", params=asked, headers=browser)
        field = re.search(r'name="request" value="([^"]+)"', page.text)
        assert field, page.text
        offered = re.findall(r'name="scope" value="([^"]+)"', page.text)
        form = {"request": unescape(field[1]), "decision": "allow", "reach": "chosen", "scope": offered}
        answer = httpx2.post(f"{self.stack.url}/oauth/consent", data=form, headers=browser)
        assert answer.status_code == 303, answer.text
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        redeemed = httpx2.post(
            f"{self.stack.url}/oauth/token",
            data={
                "grant_type": "authorization_code",
                "client_id": self.client_id,
                "redirect_uri": REDIRECT,
                "code": code,
                "code_verifier": verifier,
                "resource": resource,
            },
        )
        assert redeemed.status_code == 200, redeemed.text
        tokens: dict[str, Any] = redeemed.json()
        return tokens
