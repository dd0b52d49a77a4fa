"""NGINX with Lua: found on this machine, and its configuration rendered from the one template."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.cli.output import CliError

PLACES = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/local/nginx/sbin",
    "/usr/local/openresty/nginx/sbin",
    "/opt/homebrew/bin",
)
MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
PROBE = """\
{load}
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  init_by_lua_block {{
    local core = pcall(require, "resty.core")
    local cjson = pcall(require, "cjson.safe")
    os.exit(core and cjson and 0 or 3)
  }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A usable NGINX: `modules` are the dynamic modules to load, in order; none where Lua is built in."""

    binary: Path
    version: tuple[int, ...]
    modules: list[Path]
    openresty: bool


def find(binary: Path | None = None) -> Nginx | None:
    """The first NGINX of this machine that runs Lua with cjson and lua-resty-core, if any."""
    for candidate in [binary] if binary else _candidates():
        nginx = _describe(candidate)
        if nginx and _runs_lua(nginx):
            return nginx
    return None


def check(nginx: Nginx, prefix: Path, configuration: Path) -> str:
    """What `nginx -t` says of a configuration. Raises CliError, with its words, where it refuses it."""
    answer = _run(nginx.binary, "-t", "-e", "stderr", "-p", str(prefix), "-c", str(configuration))
    if answer.returncode != 0:
        raise CliError(f"{nginx.binary} refuses {configuration}:\n{answer.stderr.strip()}")
    return answer.stderr.strip()


def _candidates() -> Iterator[Path]:
    seen: set[Path] = set()
    for name in ("nginx", "openresty"):
        for place in (None, *PLACES):
            found = shutil.which(name, path=place)
            if found and (path := Path(found)) not in seen:
                seen.add(path)
                yield path


def _run(binary: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [str(binary), *arguments], capture_output=True, text=True, check=False, timeout=20
    )


def _describe(binary: Path) -> Nginx | None:
    try:
        text = _run(binary, "-V").stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"nginx version: (nginx|openresty)/([\d.]+)", text)
    if not version:
        return None
    openresty = version[1] == "openresty"
    built_in = openresty or "lua-nginx-module" in text or "ngx_lua" in text
    modules = [] if built_in else [_modules_folder(text) / name for name in MODULES]
    if not all(module.is_file() for module in modules):
        return None
    return Nginx(binary, tuple(int(part) for part in version[2].strip(".").split(".")), modules, openresty)


def _modules_folder(text: str) -> Path:
    explicit = re.search(r"--modules-path=(\S+)", text)
    prefix = re.search(r"--prefix=(\S+)", text)
    return Path(explicit[1]) if explicit else Path(prefix[1] if prefix else "/usr/local/nginx") / "modules"


def _runs_lua(nginx: Nginx) -> bool:
    """`nginx -t` runs no init_by_lua, so a real start is what tells; it opens no port and ends itself."""
    with tempfile.TemporaryDirectory(prefix="gatepost-") as folder:
        load = "\n".join(f"load_module {module};" for module in nginx.modules)
        configuration = Path(folder) / "probe.conf"
        configuration.write_text(PROBE.format(load=load, folder=folder))
        try:
            answer = _run(
                nginx.binary,
                "-e",
                "stderr",
                "-p",
                folder,
                "-c",
                str(configuration),
                "-g",
                "daemon off; master_process off;",
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return answer.returncode == 0
