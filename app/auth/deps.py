import hmac
from typing import Annotated, cast

from fastapi import Depends, Header, Request

from app.auth.parts import Parts
from app.core.problems import Problem


async def _parts(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


AuthParts = Annotated[Parts, Depends(_parts)]


async def require_gateway(
    auth: AuthParts, given: Annotated[str, Header(alias="Gatepost-Gateway-Secret")] = ""
) -> None:
    """Only the gateway, by the shared secret, compared in constant time. Raises Problem 403."""
    secret = auth.settings.secret("gateway_secret")
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        detail = "gateway and auth server must have the same GATEPOST_GATEWAY_SECRET"
        raise Problem(403, "not-the-gateway", "This is for the gateway alone", detail)
