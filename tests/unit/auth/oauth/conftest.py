import base64
import hashlib
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest

from app.auth.clients.model import Client
from app.auth.clients.service import secret_digest

HERE = "http://127.0.0.1:8080"
LEDGER = f"{HERE}/mcp/ledger"
WEB = "https://app.example/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Flow:
    """One client that has people log in, against the real auth server of a World."""

    world: Any
    client_id: str = ""
    redirect_uri: str = WEB
    secret: str | None = None
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def public(self) -> httpx2.AsyncClient:
        return self.world.public

    async def register(self, **metadata: Any) -> "Flow":
        body = {"redirect_uris": [self.redirect_uri], "client_name": "Tester", **metadata}
        answer = await self.public.post(
            "/oauth/register", json={"token_endpoint_auth_method": "none", **body}
        )
        assert answer.status_code == 201, answer.text
        self.client_id = answer.json()["client_id"]
        return self

    async def authorize(self, **more: str | None) -> httpx2.Response:
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "s1",
            "resource": LEDGER,
            **more,
        }
        query = {name: value for name, value in asked.items() if value is not None}
        return await self.public.get("/oauth/authorize", params=query)

    async def answer(self, page: httpx2.Response, *ticked: str, **more: str) -> httpx2.Response:
        """Send the page's own form, with these scopes ticked."""
        assert page.status_code in {200, 422}, page.text
        form = {"request": hidden(page), "decision": "allow", **more}
        form.setdefault("reach", "chosen" if ticked else "all")
        data = {**form, "scope": list(ticked)}
        return await self.public.post("/oauth/consent", data=data, headers={"Origin": HERE})

    async def code(self, *ticked: str, **more: str | None) -> str:
        return returned(await self.answer(await self.authorize(**more), *ticked))["code"]

    async def token(self, **form: str | None) -> httpx2.Response:
        given = {"client_id": self.client_id, "client_secret": self.secret, **form}
        data = {name: value for name, value in given.items() if value is not None}
        return await self.public.post("/oauth/token", data=data)

    async def redeem(self, code: str, **more: str | None) -> httpx2.Response:
        given = {"redirect_uri": self.redirect_uri, "code_verifier": VERIFIER, "code": code, **more}
        return await self.token(grant_type="authorization_code", **given)

    async def tokens(self, *ticked: str, **more: str | None) -> dict[str, Any]:
        """From nothing to tokens, as the person who is logged in."""
        answer = await self.redeem(await self.code(*ticked, **more))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refresh(self, value: str, **more: str) -> httpx2.Response:
        return await self.token(grant_type="refresh_token", refresh_token=value, **more)


def hidden(page: httpx2.Response) -> str:
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])


def returned(answer: httpx2.Response) -> dict[str, str]:
    """What came back to the client's redirect URI."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True))


def login_next(answer: httpx2.Response) -> str:
    location = urlsplit(answer.headers["location"])
    assert location.path == "/login"
    return parse_qs(location.query)["next"][0]


async def preregister(world: Any, client_id: str, secret: str | None = None, **more: Any) -> None:
    client = Client(
        client_id=client_id,
        kind="preregistered",
        name=client_id.title(),
        auth_method="client_secret_basic" if secret else "none",
        secret_digest=secret_digest(secret) if secret else None,
        **{"created_at": "2026-01-01T00:00:00Z", **more},
    )
    await world.parts.store.commit("clients", client_id, client.model_dump(mode="json"))


@pytest.fixture
async def flow(world: Any) -> Flow:
    """A client that registered itself, a server and its scopes, and the administrator logged in."""
    await world.server("ledger")
    await world.scope("ledger-readers", ["admins"], "ledger", ["read"])
    await world.scope("ledger-writers", ["admins"], "ledger", ["read", "write"])
    await world.scope("others", ["nobody"], "ledger", ["*"])
    await world.log_in()
    return await Flow(world).register()
