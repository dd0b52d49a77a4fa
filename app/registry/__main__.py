"""`python -m app.registry`: the registry, configured by GATEPOST_ variables alone."""

import asyncio
import socket
import sys

import uvicorn

from app.core.keys import SigningKeys
from app.core.listen import ListenError, listen, server_config
from app.core.logs import configure
from app.core.sealing import Sealer, SealError
from app.core.settings import Settings, SettingsError, load_settings
from app.core.store import StoreError, open_store
from app.registry.app import create_app


def main() -> int:
    """Run until SIGTERM; the exit status is 0, 1 where it cannot start, 2 for a setting that is wrong."""
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    configure(settings, "registry")
    try:
        with listen(settings.registry_host, settings.registry_port, "GATEPOST_REGISTRY_PORT") as listener:
            asyncio.run(_serve(settings, listener))
    except (ListenError, StoreError, SealError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings, listener: socket.socket) -> None:
    store = await open_store(settings)
    try:
        sealer = Sealer.from_settings(settings)
        app = create_app(settings, store, sealer, await SigningKeys.load(store, sealer))
        await uvicorn.Server(server_config(app, "on")).serve([listener])
    finally:
        await store.close()


if __name__ == "__main__":
    sys.exit(main())
