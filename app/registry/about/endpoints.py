from fastapi import APIRouter

from app import __version__
from app.registry.about.schemas import Me, Rights, Version
from app.registry.deps import Caller, RegistryServices

router = APIRouter()


@router.get("/api/me", tags=["about"])
async def me(caller: Caller) -> Me:
    """Who the caller is, and what the scopes allow right now."""
    who = caller.identity
    return Me(
        subject=who.subject,
        client=who.client,
        groups=who.groups,
        scopes=who.scopes,
        rights=Rights.of(caller.grants),
    )


@router.get("/api/version", tags=["about"])
async def version() -> Version:
    """The version of this Gatepost; needs no credential."""
    return Version(version=__version__)


@router.get("/healthz", include_in_schema=False)
async def alive() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@router.get("/readyz", include_in_schema=False)
async def ready(services: RegistryServices) -> dict[str, str]:
    """Whether the store is reachable. 503 as a problem document otherwise."""
    await services.store.latest_change()
    return {"status": "ok"}
