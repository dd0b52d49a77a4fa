"""A new signing key every 90 days, made by one of the auth servers."""

import asyncio

import structlog

from app.core.keys import SigningKeys
from app.core.sealing import SealError
from app.core.store import Store, StoreError
from app.core.store.lease import lease

log = structlog.get_logger(__name__)
ROTATE_AFTER_S = 90 * 86_400
LOOK_EVERY_S = 3600.0


async def rotate_if_due(store: Store, keys: SigningKeys) -> bool:
    """Make the next key where the newest is 90 days old, under a lease; whether it was. Raises StoreError."""
    async with lease(store, "key rotation"):
        return await keys.rotate_after(ROTATE_AFTER_S)


async def keep_rotating(store: Store, keys: SigningKeys) -> None:
    """Look every hour, until cancelled; a failure is logged and tried again."""
    while True:
        try:
            if await rotate_if_due(store, keys):
                log.info("a new key signs tokens now", kid=keys.kid)
            await keys.refresh()
        except (StoreError, SealError) as error:
            log.warning("the signing keys could not be looked at", reason=str(error))
        await asyncio.sleep(LOOK_EVERY_S)
