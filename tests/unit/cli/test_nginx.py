import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from app.cli.nginx import Nginx, check, find, render, warn_of_proxy
from app.cli.output import CliError
from app.core.settings import Settings, load_settings

APT = "apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core"


@pytest.fixture(scope="module")
def nginx() -> Nginx:
    found = find()
    if found is None:
        pytest.skip(f"no NGINX with Lua: {APT}")
    return found


def settings(tmp_path: Path, **more: str) -> Settings:
    given = {f"GATEPOST_{name.upper()}": value for name, value in more.items()}
    return load_settings({"GATEPOST_GATEWAY_SECRET": "s" * 32, "GATEPOST_STATE_DIR": str(tmp_path), **given})


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_nginx_of_this_machine_is_described(nginx: Nginx) -> None:
    assert nginx.version >= (1, 18)
    assert nginx.openresty or all(module.is_file() for module in nginx.modules)


def test_an_nginx_without_lua_is_none(tmp_path: Path) -> None:
    fake = script(tmp_path / "nginx", f"echo 'nginx version: nginx/1.22.1\n--modules-path={tmp_path}' >&2")
    assert find(fake) is None


def test_an_nginx_whose_lua_misses_a_library_is_none(tmp_path: Path) -> None:
    words = "nginx version: openresty/1.21.4.1"
    fake = script(tmp_path / "nginx", f'case $1 in -V) echo "{words}" >&2 ;; *) exit 3 ;; esac')
    assert find(fake) is None


def test_openresty_needs_no_modules(tmp_path: Path) -> None:
    fake = script(tmp_path / "openresty", "echo 'nginx version: openresty/1.21.4.1' >&2")
    assert find(fake) == Nginx(fake, (1, 21, 4, 1), [], openresty=True)


def test_nginx_accepts_what_is_rendered(nginx: Nginx, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    configuration = render(settings(tmp_path), nginx, prefix)
    assert "test is successful" in check(nginx, prefix, configuration)


def test_nginx_accepts_what_is_rendered_with_tls(nginx: Nginx, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("no openssl: apt-get install openssl")
    make_certificate(tmp_path)
    configured = settings(
        tmp_path,
        public_url="https://mcp.example.com",
        tls_certificate_file=str(tmp_path / "cert.pem"),
        tls_key_file=str(tmp_path / "key.pem"),
        auth_host="::1",
    )
    configuration = render(configured, nginx, tmp_path / "prefix")
    assert "test is successful" in check(nginx, tmp_path / "prefix", configuration)
    assert "ssl_certificate " in configuration.read_text()


def test_the_gateways_secret_is_in_a_closed_file_and_not_in_the_configuration(
    nginx: Nginx, tmp_path: Path
) -> None:
    configuration = render(settings(tmp_path), nginx, tmp_path / "prefix")
    secret = tmp_path / "prefix" / "gateway_secret"
    assert secret.read_text() == "s" * 32
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert "s" * 32 not in configuration.read_text()


def test_without_the_secret_nothing_is_rendered(nginx: Nginx, tmp_path: Path) -> None:
    with pytest.raises(CliError, match="GATEPOST_GATEWAY_SECRET_FILE"):
        render(load_settings({"GATEPOST_STATE_DIR": str(tmp_path)}), nginx, tmp_path / "prefix")


def test_what_nginx_refuses_is_shown_in_its_own_words(nginx: Nginx, tmp_path: Path) -> None:
    broken = tmp_path / "nginx.conf"
    broken.write_text("nonsense;")
    with pytest.raises(CliError, match='unknown directive "nonsense"'):
        check(nginx, tmp_path, broken)


def make_certificate(folder: Path) -> None:
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
        "-subj /CN=mcp.example.com -keyout key.pem -out cert.pem",
        shell=True,
        cwd=folder,
        check=True,
        capture_output=True,
    )


def test_a_proxy_that_calls_do_not_go_through_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warn_of_proxy(settings(tmp_path))
    assert capsys.readouterr().err == ""
    warn_of_proxy(settings(tmp_path, outbound_proxy="http://u:hush@proxy:3128"))
    warning = capsys.readouterr().err
    assert "GATEPOST_OUTBOUND_PROXY serves auth and registry alone" in warning
    assert "hush" not in warning
