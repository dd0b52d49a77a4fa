import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2


def start(tmp_path: Path, port: int) -> subprocess.Popen[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
    environ = {
        **own,
        "GATEPOST_STATE_DIR": str(tmp_path),
        "GATEPOST_REGISTRY_PORT": str(port),
        "GATEPOST_SEALING_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    command = [sys.executable, "-m", "app.registry"]
    root = Path(__file__).parents[3]
    return subprocess.Popen(command, env=environ, cwd=root, stderr=subprocess.PIPE, text=True)


def test_the_process_answers_and_ends_on_sigterm(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = start(tmp_path, port)
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/readyz")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in log
    assert all(line.startswith("{") for line in log.splitlines())


def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = start(tmp_path, listener.getsockname()[1])
        _, log = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "GATEPOST_REGISTRY_PORT" in log
    assert "Traceback" not in log


def wait_until_ready(process: subprocess.Popen[str], url: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx2.get(url, timeout=1, trust_env=False).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the registry did not become ready")
