"""An NGINX with Lua where there is none yet: installed by apt as root, else the one command to run."""

import os
import shutil
import subprocess
from pathlib import Path

from app.cli.nginx.find import Nginx, find
from app.cli.output import CliError, say

PACKAGES = ("nginx", "libnginx-mod-http-lua", "lua-cjson", "lua-resty-core")
COMMAND = f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"


def find_or_install() -> Nginx:
    """Raises CliError with the command to run where nothing is found and nothing may be installed."""
    found = find()
    if found:
        return found
    if not shutil.which("apt-get"):
        raise CliError(
            "found no NGINX with Lua in PATH. Install OpenResty (https://openresty.org/en/installation.html; "
            "on macOS: brew install openresty/brew/openresty), then run this again."
        )
    if os.geteuid() != 0:
        raise CliError(f"found no NGINX with Lua in PATH. Run this, then try again:\n  sudo {COMMAND}")
    say(f"found no NGINX with Lua; installing it: {COMMAND}")
    install()
    found = find()
    if not found:
        raise CliError(
            f"NGINX was installed, but Lua, cjson or lua-resty-core does not load in it. Try: {COMMAND}"
        )
    return found


def install() -> None:
    """Install with apt. The package would start a service on port 80: that is kept from happening."""
    system_has_one = Path("/etc/init.d/nginx").exists()
    systemd = Path("/run/systemd/system").is_dir()
    keep_stopped = systemd and not system_has_one
    if keep_stopped:
        _call("systemctl", "mask", "--runtime", "--quiet", "nginx.service")
    try:
        if not _apt("install"):
            _apt("update")
            if not _apt("install"):
                raise CliError(
                    f"apt could not install NGINX with Lua; its own words are above. Try: {COMMAND}"
                )
    finally:
        if keep_stopped:
            _call("systemctl", "unmask", "--runtime", "--quiet", "nginx.service")
            _call("systemctl", "disable", "--quiet", "nginx.service")


def _apt(verb: str) -> bool:
    options = ["--no-install-recommends", *PACKAGES] if verb == "install" else []
    # RUNLEVEL=1: invoke-rc.d then starts nothing where there is no systemd.
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return _call("apt-get", verb, "--yes", "--quiet", *options, environ=environ)


def _call(*command: str, environ: dict[str, str] | None = None) -> bool:
    return subprocess.run(command, check=False, env=environ, stdout=2).returncode == 0  # noqa: S603
