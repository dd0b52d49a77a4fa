from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.auth.deps import AuthParts

router = APIRouter()


@router.get("/oauth/jwks")
async def jwks(auth: AuthParts) -> JSONResponse:
    """The public keys that Gatepost's tokens verify with (RFC 7517), those that another process added too."""
    await auth.keys.refresh()
    return JSONResponse(auth.keys.jwks(), headers={"Cache-Control": "public, max-age=300"})
