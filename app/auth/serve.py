"""Both ports on one event loop, until SIGTERM or SIGINT."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from fastapi import FastAPI

from app.auth.applications import internal_application, public_application
from app.auth.key_rotation import keep_rotating
from app.auth.parts import assemble
from app.auth.startup import prepare
from app.core.listen import listen, server_config
from app.core.settings import Settings
from app.core.store import open_store

log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Each uvicorn would take the signals from the other; `serve` tells both.
        yield


async def serve(settings: Settings) -> None:
    """Open everything, answer until told to stop, finish what runs.

    Raises StartupError, ListenError, StoreError, SealError.
    """
    host = settings.auth_host
    with (
        listen(host, settings.auth_port, "GATEPOST_AUTH_PORT") as public,
        listen(host, settings.auth_internal_port, "GATEPOST_AUTH_INTERNAL_PORT") as internal,
    ):
        store = await open_store(settings)
        try:
            await prepare(settings, store)
            parts = await assemble(settings, store)
            rotating = asyncio.create_task(keep_rotating(store, parts.keys))
            try:
                await _run({public: public_application(parts), internal: internal_application(parts)})
            finally:
                rotating.cancel()
                await asyncio.wait([rotating])
            await parts.background.finish()
        finally:
            await store.close()


async def _run(applications: dict[socket.socket, FastAPI]) -> None:
    servers = {listener: _Server(server_config(app, "off")) for listener, app in applications.items()}

    def stop() -> None:
        for server in servers.values():
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    async with asyncio.TaskGroup() as group:
        for listener, server in servers.items():
            group.create_task(server.serve([listener])).add_done_callback(lambda _: stop())
    log.info("stopped")
