"""What `up` runs: the processes, and the settings they get by environment alone."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.cli.nginx import Nginx, check, render
from app.cli.ports import free_ports
from app.cli.process import Command
from app.cli.state import StateFolder
from app.core.settings import PREFIX, Settings, load_settings

LOOPBACK = "127.0.0.0/8,::1/128"
INNER_PORTS = ("AUTH_PORT", "AUTH_INTERNAL_PORT", "REGISTRY_PORT", "METRICS_PORT")
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (where to reach it from here)


@dataclass(frozen=True)
class Plan:
    """`commands` in the order of their start; they end in the opposite order."""

    settings: Settings
    commands: list[Command]


def environment(state: StateFolder, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, completed by what a laptop needs: nothing that the user set is changed.

    Inner ports are free ones, secrets are files of the state folder, and local MCP servers may be registered.
    An empty variable of ours is not set, here as in `load_settings`.
    """
    environ = {name: value for name, value in environ.items() if value or not name.startswith(PREFIX)}
    ours = {
        **{
            PREFIX + name: str(port)
            for name, port in zip(INNER_PORTS, free_ports(len(INNER_PORTS)), strict=True)
        },
        f"{PREFIX}PUBLIC_URL": local_url(load_settings(environ)),
        f"{PREFIX}UPSTREAM_NETWORKS": LOOPBACK,
    }
    for name in ("GATEWAY_SECRET", "SEALING_KEYS"):
        if PREFIX + name not in environ:
            ours[f"{PREFIX}{name}_FILE"] = str(state.secret(name.lower()))
    return {**ours, **environ, f"{PREFIX}STATE_DIR": str(state.path)}


def make_plan(state: StateFolder, environ: Mapping[str, str], nginx: Nginx) -> Plan:
    """Choose ports, render and check NGINX's configuration. Raises CliError and SettingsError."""
    complete = environment(state, environ)
    settings = load_settings(complete)
    configuration = render(settings, nginx, state.nginx)
    check(nginx, state.nginx, configuration)

    def for_auth() -> Mapping[str, str]:
        password = state.secret("admin_password")
        given = {f"{PREFIX}ADMIN_PASSWORD", f"{PREFIX}ADMIN_PASSWORD_FILE"} & complete.keys()
        return (
            complete
            if given or not password.exists()
            else {**complete, f"{PREFIX}ADMIN_PASSWORD_FILE": str(password)}
        )

    registry = (settings.registry_host, settings.registry_port)
    return Plan(
        settings,
        [
            Command("auth", _module("app.auth"), for_auth),
            Command("registry", _module("app.registry"), lambda: complete),
            _gateway(settings, nginx, state.nginx, configuration, complete),
            Command("audit", [*_module("app.cli"), "audit", "ship"], lambda: complete, needs=(registry,)),
        ],
    )


def _gateway(
    settings: Settings, nginx: Nginx, prefix: Path, configuration: Path, environ: Mapping[str, str]
) -> Command:
    """NGINX in the foreground, without our settings in its environment; QUIT lets calls under way end."""
    arguments = [
        str(nginx.binary),
        "-e",
        "stderr",
        "-p",
        str(prefix),
        "-c",
        str(configuration),
        "-g",
        "daemon off;",
    ]
    clean = {name: value for name, value in environ.items() if not name.startswith(PREFIX)}
    needs = (
        (settings.auth_host, settings.auth_internal_port),
        (settings.registry_host, settings.registry_port),
    )
    return Command("gateway", arguments, lambda: clean, stop=signal.SIGQUIT, needs=needs)


def local_url(settings: Settings) -> str:
    """Where the gateway answers from this machine, whatever its public address is."""
    scheme = "https" if settings.tls_certificate_file else "http"
    return f"{scheme}://{_from_here(settings.gateway_host)}:{settings.gateway_port}"


def metrics_url(settings: Settings) -> str:
    """Where Prometheus on this machine reads the gateway's metrics."""
    return f"http://{_from_here(settings.metrics_host)}:{settings.metrics_port}/metrics"


def _from_here(listening: str) -> str:
    host = ANYWHERE.get(listening, listening)
    return f"[{host}]" if ":" in host else host


def _module(name: str) -> list[str]:
    return [sys.executable, "-P", "-m", name]
