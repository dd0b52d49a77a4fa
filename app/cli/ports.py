"""Ports on this machine: free ones for the processes inside, and whether the gateway's own is free."""

import asyncio
import errno
import socket
import time

from app.cli.output import CliError

POLL_S = 0.05


def free_ports(count: int) -> list[int]:
    """Free loopback ports, all different. Should another program take one first, `up` tries anew."""
    taken = [socket.socket() for _ in range(count)]
    try:
        for entry in taken:
            entry.bind(("127.0.0.1", 0))
        return [entry.getsockname()[1] for entry in taken]
    finally:
        for entry in taken:
            entry.close()


def require_free(host: str, port: int, patience_s: float = 0.0) -> None:
    """Raises CliError, naming the port and its setting, where NGINX cannot listen there in that time."""
    end = time.monotonic() + patience_s
    while True:
        try:
            _bind(host, port)
        except OSError as error:
            if time.monotonic() >= end or error.errno != errno.EADDRINUSE:
                raise CliError(_reason(host, port, error)) from error
            time.sleep(POLL_S)
        else:
            return


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


async def accepts(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use by another program. "
            "Stop that program, or choose another port with GATEPOST_GATEWAY_PORT."
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs root. Choose one above 1023 with GATEPOST_GATEWAY_PORT."
    return f"cannot listen on {host} port {port}: {error.strerror}. See GATEPOST_GATEWAY_HOST and _PORT."
