from app.core import caller
from app.core.caller import Caller
from app.registry.services import Services


async def authenticate(services: Services, tokens: list[str]) -> Caller:
    """The caller that the values of the request's `Gatepost-Identity` header name. Raises a 401 problem."""
    issuer = services.settings.public_url
    return await caller.authenticate(tokens, services.keys, issuer, services.scopes.current)
