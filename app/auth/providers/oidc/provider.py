import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import structlog

from app.auth.background import Background
from app.auth.login.attempt import Attempt
from app.auth.providers.base import Arrival, LoginRefused, ProviderUnavailable
from app.auth.providers.oidc.claims import missing, names_groups, person_in
from app.auth.providers.oidc.client import proof
from app.auth.providers.oidc.discovery import Discovery
from app.auth.providers.oidc.graph import groups_of_me, has_overage
from app.auth.providers.oidc.id_token import Expected, check_id_token
from app.auth.providers.oidc.pkce import challenge
from app.auth.providers.oidc.requests import ProviderRequests
from app.auth.providers.oidc.signed import Untrusted
from app.auth.providers.oidc.source import Source
from app.auth.providers.oidc.token_endpoint import Tokens, tokens
from app.core.models.identity_provider import OidcProviderConfig
from app.core.settings import Settings

_log = structlog.get_logger(__name__)
LONGEST_HINT = 4000
"""A provider that is sent a longer URL may refuse it; without the hint it asks the person."""


class OidcProvider:
    """An OpenID provider that a browser is sent to: authorization code, PKCE, `state`, `nonce` and `iss`."""

    def __init__(self, settings: Settings, config: OidcProviderConfig, background: Background) -> None:
        self.config = config
        self.outlives_browser = "offline_access" in config.scopes or config.type == "cognito"
        self.redirect_uri = f"{settings.public_url}/callback/{config.name}"
        self.requests = ProviderRequests(settings, config.name)
        self.source = Source(self.requests, config.issuer, background)

    async def begin(self, attempt: Attempt) -> str:
        """The URL to send the browser to. Raises ProviderUnavailable, rather than send it to nobody."""
        discovery = await self.source.reachable()
        query = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.config.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return with_query(discovery.authorization_endpoint, query)

    async def check_answerer(self, issuer: str | None) -> None:
        """Raise LoginRefused where an answer came from another provider (RFC 9207: mix-up)."""
        discovery = await self.source.discovery()
        if issuer is None and not discovery.names_itself:
            return
        if issuer != discovery.issuer:
            raise LoginRefused("the answer is not from the provider that was asked; log in again")

    async def finish(self, attempt: Attempt, code: str) -> Arrival:
        """Who logged in, for the code of an attempt. Raises LoginRefused, ProviderUnavailable."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        discovery = await self.source.discovery()
        given = await tokens(self.requests, self.config, discovery, form)
        if given.id_token is None:
            raise LoginRefused(f"{self.config.name} sends no ID token; is it an OpenID provider?")
        return await self._arrival(discovery, given, attempt.nonce)

    async def renew(self, arrival: Arrival) -> Arrival | None:
        """The same person as the provider knows them now; None where it gave no refresh token.

        Raises LoginRefused, ProviderUnavailable.
        """
        if arrival.refresh_token is None:
            return None
        form = {"grant_type": "refresh_token", "refresh_token": arrival.refresh_token}
        discovery = await self.source.discovery()
        given = await tokens(self.requests, self.config, discovery, form)
        kept = Tokens(given.access_token, given.refresh_token or arrival.refresh_token, given.id_token)
        found = await self._arrival(discovery, kept, None)
        if found.person.subject != arrival.person.subject:
            raise LoginRefused(f"{self.config.name} answers with another person; log in again")
        return Arrival(found.person, found.refresh_token, found.id_token or arrival.id_token)

    async def forget(self, arrival: Arrival) -> None:
        """Revoke the refresh token (RFC 7009): with `offline_access` it outlives the session there.

        Raises ProviderUnavailable.
        """
        discovery = await self.source.discovery()
        if arrival.refresh_token is None or discovery.revocation_endpoint is None:
            return
        ours = await proof(self.config, discovery)
        form = {"token": arrival.refresh_token, "token_type_hint": "refresh_token", **ours.form}
        await self.requests.send("POST", discovery.revocation_endpoint, form=form, headers=ours.headers)

    async def logout_url(self, arrival: Arrival, back_to: str) -> str | None:
        """Where the session at the provider ends (RP-initiated logout 1.0; Cognito has its own form).

        Raises ProviderUnavailable.
        """
        discovery = await self.source.discovery()
        query = {"client_id": self.config.client_id}
        if self.config.type == "cognito":
            pages = self.config.hosted_ui or _origin(discovery.authorization_endpoint)
            return with_query(f"{pages.rstrip('/')}/logout", {**query, "logout_uri": back_to})
        if discovery.end_session_endpoint is None:
            return None
        query["post_logout_redirect_uri"] = back_to
        if arrival.id_token is not None and len(arrival.id_token) <= LONGEST_HINT:
            query["id_token_hint"] = arrival.id_token
        return with_query(discovery.end_session_endpoint, query)

    async def _arrival(self, discovery: Discovery, given: Tokens, nonce: str | None) -> Arrival:
        claims: Mapping[str, Any] = {}
        if given.id_token is not None:
            expected = Expected(discovery.issuer, self.config.client_id, nonce, given.access_token)
            try:
                signed = await self.source.verified(given.id_token, self.config.tokens.algorithms)
                claims = check_id_token(signed, expected, time.time())
            except Untrusted as error:
                raise LoginRefused(f"what {self.config.name} sent cannot be trusted: {error}") from None
        if missing(claims, self.config.claims) and not has_overage(claims):
            claims = {**await self._userinfo(discovery, given.access_token, claims), **claims}
        if self.config.graph_url and has_overage(claims) and "groups" in self.config.claims.groups:
            found = await groups_of_me(self.requests, self.config.graph_url, given.access_token)
            claims = {**claims, "groups": found}
        person = person_in(claims, self.config.name, self.config.claims)
        if nonce is not None and not names_groups(claims, self.config.claims):
            # The login goes on and may do nothing: the most common slip is at the provider, out of our sight.
            _log.info(
                "the provider sends no groups",
                provider=self.config.name,
                subject=person.subject,
                claims=self.config.claims.groups,
                fix="have it send one of these claims in the ID token, or name its own in claims.groups",
            )
        return Arrival(person, given.refresh_token, given.id_token)

    async def _userinfo(
        self, discovery: Discovery, access_token: str, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        if discovery.userinfo_endpoint is None:
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = await self.requests.send("GET", discovery.userinfo_endpoint, headers=headers)
        if answer.status != httpx2.codes.OK or not isinstance(answer.body.get("sub"), str):
            raise ProviderUnavailable(
                f"{self.config.name} does not say more of a person (userinfo: status {answer.status})"
            )
        if claims and answer.body["sub"] != claims.get("sub"):
            raise LoginRefused(f"{self.config.name} speaks of two people in one login; log in again")
        return answer.body


def with_query(url: str, query: Mapping[str, str]) -> str:
    """The URL with more parameters, after those that it has (RFC 6749, 3.1)."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query)}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
