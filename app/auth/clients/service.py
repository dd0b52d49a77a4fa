"""OAuth clients: who they are, and that they are who they say."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from app.auth.clients.assertions import UnknownSigner, check_claims, signed_claims, use_once
from app.auth.clients.documents import client_from, is_document_url
from app.auth.clients.fetched import LONGEST_LIFE_S, Fetched, Unfetched
from app.auth.clients.keys import usable_keys
from app.auth.clients.model import Client
from app.auth.clients.presented import Presented, presented
from app.auth.oauth.errors import OAuthError
from app.core.settings import Settings
from app.core.store import Conflict, Document, Store

CLIENTS = "clients"
DYNAMIC_LIFE_S = 90 * 86_400
"""How long a client that registered itself is kept after its last token."""
LEEWAY_S = 5
"""How far the clocks of two auth servers may differ."""
NEW_KEYS_AFTER_S = 60.0
"""How soon keys at a `jwks_uri` are read again for a signature that none of them made."""
_TOUCH_EVERY_S = 3600


class Clients:
    """Knows clients: registered ones from the store, others by the document at their id (CIMD)."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._fetched = Fetched(settings)
        self._audiences = {settings.public_url, f"{settings.public_url}/oauth/token"}

    async def find(self, client_id: str) -> Client:
        """The client with that id. Raises OAuthError: `invalid_client`, or `temporarily_unavailable`."""
        if is_document_url(client_id):
            return client_from(client_id, await self._object_at(client_id))
        found = await self._store.get(CLIENTS, client_id) if client_id.isascii() else None
        if found is None:
            raise _unknown()
        return client_of(found)

    async def known(self, client_id: str, issued_at: int) -> bool:
        """Whether a client's token of that time still counts: it was not deleted since, nor has it expired.

        One that was made anew under the id of a deleted one is another client.
        """
        if is_document_url(client_id):
            return True
        found = await self._store.get(CLIENTS, client_id)
        return found is not None and issued_at + LEEWAY_S >= _made_at(found)

    async def authenticate(self, form: Mapping[str, str], authorization: str | None) -> Client:
        """The client that sends this form and Authorization header, by its own way (RFC 6749, 2.3).

        Raises OAuthError: `invalid_client` with 401, one answer for an unknown client and a wrong secret;
        `invalid_request` for two ways at once; `temporarily_unavailable` where a document cannot be had.
        """
        given = presented(form, authorization)
        client = await self.find(given.client_id)
        if not await self._proven(client, given):
            raise _unknown()
        return client

    async def touch(self, client_id: str) -> None:
        """Note that a registered client got a token, at most once an hour; that keeps a dynamic one."""
        found = await self._store.get(CLIENTS, client_id)
        now = time.time()
        if found is None or now - (found.body.get("used_at") or 0) < _TOUCH_EVERY_S:
            return
        body, ends = {**found.body, "used_at": now}, now + DYNAMIC_LIFE_S
        with suppress(Conflict):  # changed, or noted, at the same moment: the next token notes it
            await self._store.put(
                CLIENTS,
                client_id,
                body,
                expected=found.revision,
                expires_at=ends if found.body["kind"] == "dynamic" else None,
            )

    async def _proven(self, client: Client, given: Presented) -> bool:
        match client.auth_method:
            case "none":
                return given.secret is None and given.assertion is None
            case "client_secret_basic" | "client_secret_post":
                # Either way shows the same secret; what a client registered and what it does often differ.
                digest = secret_digest(given.secret or "")
                return client.secret_digest is not None and hmac.compare_digest(digest, client.secret_digest)
            case "private_key_jwt":
                return given.assertion is not None and await self._signed(client, given.assertion)

    async def _signed(self, client: Client, assertion: str) -> bool:
        try:
            claims = await self._claims(client, assertion)
        except UnknownSigner:
            return False
        check_claims(claims, client.client_id, self._audiences, time.time())
        await use_once(self._store, client.client_id, claims)
        return True

    async def _claims(self, client: Client, assertion: str) -> dict[str, Any]:
        if client.jwks_uri is None:
            return signed_claims(assertion, client.jwks or {"keys": []})
        try:
            return signed_claims(assertion, usable_keys(await self._object_at(client.jwks_uri)))
        except UnknownSigner:
            again = await self._object_at(client.jwks_uri, younger_than_s=NEW_KEYS_AFTER_S)
            return signed_claims(assertion, usable_keys(again))

    async def _object_at(self, url: str, *, younger_than_s: float = LONGEST_LIFE_S) -> dict[str, Any]:
        try:
            return await self._fetched.get(url, younger_than_s=younger_than_s)
        except Unfetched as failure:
            if failure.passing:
                raise OAuthError("temporarily_unavailable", str(failure), 503) from None
            raise OAuthError("invalid_client", str(failure), 401) from None


def _made_at(document: Document) -> float:
    return datetime.fromisoformat(document.body["created_at"]).timestamp()


def client_of(document: Document) -> Client:
    """The client that a stored document describes."""
    return Client.model_validate(document.body)


def secret_digest(secret: str) -> str:
    """What is kept of a client's secret, which has 256 random bits: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _unknown() -> OAuthError:
    description = "there is no such client, or it did not prove that it is this one"
    return OAuthError("invalid_client", description, 401)
