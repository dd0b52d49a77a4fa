"""An authorization request (RFC 6749, 4.1.1; RFC 7636; RFC 8707), read in two steps. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from app.auth.clients.model import Client
from app.auth.oauth.errors import OAuthError
from app.auth.oauth.pkce import checked_challenge
from app.auth.oauth.resources import resource_path
from app.auth.oauth.scopes import requested
from app.core.loopback import is_loopback
from app.core.models import Scope

_PROMPTS = frozenset({"none", "login", "consent", "select_account"})


@dataclass(frozen=True)
class Wanted:
    """What a client asks a person for; `scopes` None for all that the person may do at `resource`, a path."""

    client_id: str
    redirect_uri: str
    challenge: str
    resource: str
    scopes: list[str] | None
    state: str | None
    prompts: list[str]


def wanted(given: Mapping[str, str], client: Client, public_url: str, known: Iterable[Scope]) -> Wanted:
    """The request of a client whose redirect URI is checked already.

    Raises OAuthError, which is for that redirect URI.
    """
    if given.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    if given.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "response_mode must be query")
    if "authorization_code" not in client.grant_types:
        raise OAuthError("unauthorized_client", "this client is not registered for logins of people")
    prompts = given.get("prompt", "").split()
    if not _PROMPTS.issuperset(prompts) or ("none" in prompts and len(prompts) > 1):
        raise OAuthError("invalid_request", "prompt must be none alone, or of login, consent, select_account")
    return Wanted(
        client_id=client.client_id,
        redirect_uri=given["redirect_uri"],
        challenge=checked_challenge(given.get("code_challenge"), given.get("code_challenge_method")),
        resource=resource_path(public_url, given.get("resource")),
        scopes=requested(given.get("scope"), known),
        state=given.get("state"),
        prompts=prompts,
    )


def answer_url(redirect_uri: str, issuer: str, state: str | None, **answer: str) -> str:
    """The redirect URI with an answer for the client, its `state` and our `iss` (RFC 9207)."""
    members = {**answer, **({} if state is None else {"state": state}), "iss": issuer}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(members)}"


def stays_on_device(redirect_uri: str) -> bool:
    """Whether a program on the person's own device gets the answer, where any other could pose as it."""
    parts = urlsplit(redirect_uri)
    return parts.scheme != "https" or is_loopback(parts.hostname or "")
