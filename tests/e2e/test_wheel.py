import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx2
import pytest

from app.cli.nginx import find

pytestmark = pytest.mark.e2e
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, CHECKOUT]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("gatepost-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `gatepost` of an environment that holds the wheel and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    lock = CHECKOUT / "requirements.lock"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", lock], check=True)
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    return folder / "bin" / "gatepost"


def test_the_wheel_carries_the_gateway_and_the_catalogue(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "app/_data/nginx/nginx.conf.j2" in names
    assert any(name.startswith("app/_data/nginx/lua/gatepost/") for name in names)
    assert "app/_data/catalog/context7.json" in names


def test_the_installed_wheel_brings_the_gateway_up(installed: Path, tmp_path: Path) -> None:
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    dropped = ("GATEPOST_", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    environ = {**inherited, "GATEPOST_GATEWAY_PORT": port}

    def gatepost(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [installed, *arguments],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    try:
        answer = gatepost("up", "--detach")
        assert answer.returncode == 0, answer.stderr
        token = (tmp_path / ".gatepost" / "secrets" / "cli_token").read_text().strip()
        called = httpx2.post(
            f"http://127.0.0.1:{port}/mcp/registry",
            json={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "list_servers", "arguments": {}},
            },
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json, text/event-stream",
            },
        ).json()
        assert called["result"]["structuredContent"] == {"servers": []}
    finally:
        ended = gatepost("down")
    assert ended.returncode == 0, ended.stderr
    assert "Gatepost is down" in ended.stdout
