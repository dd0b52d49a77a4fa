"""How auth and registry listen and serve, so that the gateway finds both alike."""

import socket
from typing import Any, Literal

import uvicorn

BACKLOG = 2048
KEEP_ALIVE_S = 75
"""Longer than the gateway keeps its idle connections: whoever closes first must be the gateway."""
DRAIN_S = 10
LARGEST_HEAD = 160 * 1024
"""More than the gateway takes of a request's headers, so that it alone refuses them."""


class ListenError(Exception):
    """A port cannot be listened on; the message names it, the reason and the setting to change."""


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening TCP socket for uvicorn. Raises ListenError, which names the `setting` of the port."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With the protocol unnamed asyncio leaves Nagle's algorithm on: 40 ms for each answer of two packets.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ListenError(f"cannot listen on {host}:{port}: {reason}; set {setting} to a free port") from None
    return listener


def server_config(app: Any, lifespan: Literal["on", "off"]) -> uvicorn.Config:
    """Uvicorn's settings for an ASGI application behind the gateway; logging is `app.core.logs`'s."""
    return uvicorn.Config(
        app,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips="*",  # the gateway alone asks here, from any host, and always names the client
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
