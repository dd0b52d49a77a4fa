from fastapi import APIRouter

from app.auth.deps import AuthParts

router = APIRouter()


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(auth: AuthParts) -> dict[str, str]:
    """Whether it can decide: the store is reachable. 503 as a problem document otherwise."""
    await auth.store.latest_change()
    return {"status": "ok"}
