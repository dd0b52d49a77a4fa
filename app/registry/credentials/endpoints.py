from fastapi import APIRouter, status

from app.registry.credentials.schemas import CredentialBody
from app.registry.credentials.token_url import check_token_url
from app.registry.credentials.vault import CredentialVault
from app.registry.deps import Caller, RegistryServices, Slug
from app.registry.servers.service import writable

router = APIRouter(prefix="/api/servers/{slug}/credential", tags=["credentials"])


@router.put("", status_code=status.HTTP_204_NO_CONTENT)
async def set_credential(
    slug: Slug, body: CredentialBody, caller: Caller, services: RegistryServices
) -> None:
    """Set what the server's upstream is sent; no answer ever repeats it. The server is looked at again."""
    await writable(services, caller, slug)
    if body.oauth is not None:
        await check_token_url(services.settings, body.oauth.token_url)
    await CredentialVault(services.store, services.sealer).put(slug, body.to_keep())
    services.discovery.start(slug)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def remove_credential(slug: Slug, caller: Caller, services: RegistryServices) -> None:
    """Send the upstream no credential any more; none that is there is fine."""
    await writable(services, caller, slug)
    await CredentialVault(services.store, services.sealer).remove(slug)
