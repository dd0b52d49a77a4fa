"""Whether a provider would send people back here: an authorization request that nobody follows."""

from urllib.parse import parse_qs, urlsplit

from app.auth.idps.schemas import Step, failed, ok, warning
from app.auth.login.attempt import Attempt
from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.oidc.discovery import Discovery
from app.auth.providers.oidc.provider import OidcProvider

_STEP = "redirect URI"


async def try_authorization(provider: OidcProvider, discovery: Discovery) -> Step:
    """What the provider answers to the request that a login begins with."""
    fix = f"register exactly {provider.redirect_uri} at the provider"
    try:
        url = await provider.begin(Attempt(provider.config.name, "/"))
        answer = await provider.requests.send("GET", url)
    except ProviderUnavailable as failure:
        return failed(_STEP, str(failure), f"make {discovery.authorization_endpoint} reachable")
    if answer.status >= 400:
        return failed(_STEP, f"the provider answers a login with status {answer.status}", fix)
    location = answer.headers.get("location", "")
    error = parse_qs(urlsplit(location).query).get("error", [""])[0][:64]
    if error and location.startswith(provider.redirect_uri):
        detail = f"the redirect URI is known, but a login ends in {error!r}"
        return failed(_STEP, detail, "see which scopes and grants the client may use there")
    if error:
        return failed(_STEP, f"the provider answers a login with {error!r}", fix)
    if provider.config.type == "entra":
        detail = "the provider shows a page; Entra says only there whether it knows the redirect URI"
        return warning(_STEP, detail, f"log in once; where it says AADSTS50011, {fix}")
    return ok(_STEP, f"the provider takes a login for {provider.redirect_uri}")
