from fastapi import APIRouter, Depends

from app.auth.admin.caller import allowed
from app.auth.deps import AuthParts
from app.auth.idps.administration_check import check_administration
from app.auth.idps.oidc_check import check_oidc
from app.auth.idps.saml_check import check_saml
from app.auth.idps.schemas import Idp, Report, ok
from app.auth.providers.oidc.provider import OidcProvider
from app.core.models.identity_provider import (
    LocalProviderConfig,
    OidcProviderConfig,
    ProviderConfig,
    SamlProviderConfig,
)
from app.core.problems import Problem

router = APIRouter(prefix="/api/idps", tags=["identity providers"])


@router.get("", dependencies=[Depends(allowed("idps:read"))])
async def list_idps(auth: AuthParts) -> list[Idp]:
    """The providers, in the order of the login page."""
    return [
        Idp(name=found.name, type=found.type, label=found.shown, default=found.default, issuer=_where(found))
        for found in auth.settings.providers
    ]


@router.post("/{name}/check", dependencies=[Depends(allowed("idps:check"))])
async def check_idp(name: str, auth: AuthParts) -> Report:
    """Try the configuration of a provider at the live provider, and say what is wrong."""
    config = next((found for found in auth.settings.providers if found.name == name), None)
    if config is None:
        known = ", ".join(found.name for found in auth.settings.providers)
        raise Problem(
            404, "no-such-provider", "There is no such provider", f"none is called {name}; there are {known}"
        )
    provider = auth.providers.get(name)
    if isinstance(provider, OidcProvider):
        steps = [step async for step in check_oidc(provider)]
        discovered = any(step.step == "discovery" and step.state == "ok" for step in steps)
        if provider.config.administration and discovered:
            steps.append(await check_administration(auth.settings, provider.config))
    elif isinstance(config, SamlProviderConfig):
        steps = [step async for step in check_saml(auth.settings, config)]
    else:
        steps = [ok("local", "people and passwords are kept here; there is nothing to reach")]
    failures = any(step.state == "failed" for step in steps)
    return Report(name=name, type=config.type, ok=not failures, steps=steps)


def _where(config: ProviderConfig) -> str | None:
    match config:
        case OidcProviderConfig():
            return config.issuer
        case SamlProviderConfig():
            return config.metadata_url or str(config.metadata_file)
        case LocalProviderConfig():
            return None
