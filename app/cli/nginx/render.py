"""NGINX's configuration, made from nginx/nginx.conf.j2: the one renderer, for laptops, roles and images."""

import os
import pwd
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import jinja2

from app.cli.nginx.find import Nginx
from app.cli.output import CliError, say
from app.core import assets
from app.core.settings import Settings

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def warn_of_proxy(settings: Settings) -> None:
    """Say that calls do not go through the outbound proxy, where one is set."""
    if settings.secret("outbound_proxy"):
        say(
            "warning: GATEPOST_OUTBOUND_PROXY serves auth and registry alone. The gateway connects to MCP "
            "servers directly, so calls reach only those that this machine reaches without the proxy"
        )


def render(settings: Settings, nginx: Nginx, prefix: Path) -> Path:
    """Write `prefix/nginx.conf` and the folders NGINX needs beside it; gives its path.

    Raises CliError where the gateway's secret is not set or no bundle of CAs is found.
    """
    prefix = prefix.absolute()
    for folder in (prefix, prefix / "logs", prefix / "temp"):
        folder.mkdir(parents=True, exist_ok=True)
    settings.audit_path.absolute().parent.mkdir(parents=True, exist_ok=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(assets.path("nginx")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (NGINX's syntax, not HTML)
    )
    text = environment.get_template("nginx.conf.j2").render(_context(settings, nginx, prefix))
    target = prefix / "nginx.conf"
    target.write_text(text)
    return target


def _context(settings: Settings, nginx: Nginx, prefix: Path) -> dict[str, object]:
    public = urlsplit(settings.public_url)
    return {
        "settings": settings,
        "nginx": nginx,
        "prefix": prefix,
        "lua_dir": assets.path("nginx", "lua").absolute(),
        "user": pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() == 0 else None,
        "workers": settings.gateway_workers or os.cpu_count() or 1,
        "tls": settings.tls_certificate_file is not None,
        "ca_file": _ca_file(settings),
        "secret_file": _secret_file(settings, prefix),
        "body_buffer_k": 2 * settings.max_body // 1024 + 1,
        "audit_file": settings.audit_path.absolute(),
        "error_log": prefix / "logs" / "error.log",
        "pid_file": prefix / "nginx.pid",
        "auth_address": _address(settings.auth_host, settings.auth_port),
        "auth_internal_address": _address(settings.auth_host, settings.auth_internal_port),
        "registry_address": _address(settings.registry_host, settings.registry_port),
        "public_url": settings.public_url.rstrip("/"),
        "public_origin": f"{public.scheme}://{public.netloc}",
        "public_host": public.netloc,
        "public_port": public.port or {"http": 80, "https": 443}[public.scheme],
        "secure": public.scheme == "https",
    }


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _ca_file(settings: Settings) -> Path:
    if settings.upstream_ca_file:
        return settings.upstream_ca_file.absolute()
    for candidate in (ssl.get_default_verify_paths().cafile, *BUNDLES):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise CliError(
        "found no bundle of CA certificates on this system. Name one with GATEPOST_UPSTREAM_CA_FILE."
    )


def _secret_file(settings: Settings, prefix: Path) -> Path:
    """A copy beside the configuration, of mode 0600, that NGINX's master reads at its start."""
    secret = settings.secret("gateway_secret")
    if not secret:
        raise CliError("the gateway needs the secret it shares with auth: set GATEPOST_GATEWAY_SECRET_FILE.")
    target = prefix / "gateway_secret"
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
    target.chmod(0o600)
    return target
