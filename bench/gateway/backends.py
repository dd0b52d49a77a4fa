"""What the gateway is measured beside and in front of: plain NGINX, a static backend, an SDK server."""

import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette

from app.cli.nginx import Nginx
from bench.gateway.calls import TOOL
from tests.e2e.stack import until

RESULT = '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"1"}]}}'
COMMON = """\
worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 4096; }
http {
    tcp_nodelay on;
    keepalive_requests 1000000;
    keepalive_timeout 75s;
    client_max_body_size 4m;
    client_body_buffer_size 8193k;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
"""
BACKEND = """\
    access_log off;
    server {
        listen 127.0.0.1:%(port)d reuseport backlog=4096;
        location / {
            default_type application/json;
            return 200 '%(result)s';
        }
    }
}
"""
PLAIN = """\
    access_log access.log combined;
    upstream backend {
        server 127.0.0.1:%(backend)d;
        keepalive 64;
        keepalive_requests 100000;
    }
    server {
        listen 127.0.0.1:%(port)d reuseport backlog=4096;
        location / {
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }
    }
}
"""


def static_backend(port: int) -> str:
    """NGINX's configuration for a backend that answers every call with the same tool result."""
    return COMMON + BACKEND % {"port": port, "result": RESULT}


def plain_proxy(port: int, backend: int) -> str:
    """NGINX's configuration for plain proxying with keepalive and an access log: the baseline."""
    return COMMON + PLAIN % {"port": port, "backend": backend}


@contextmanager
def running_nginx(nginx: Nginx, folder: Path, configuration: str, port: int) -> Iterator[int]:
    """An NGINX in a folder of its own, as long as the block runs; gives its master's pid."""
    folder.mkdir()
    user = f"user {pwd.getpwuid(os.geteuid()).pw_name};\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + configuration)
    options = ["-e", "error.log", "-c", "nginx.conf", "-g"]
    command = [str(nginx.binary), "-p", str(folder), *options, "daemon off;"]
    with _running(command, port) as pid:
        yield pid


@contextmanager
def running_sdk_server(port: int, factory: str = f"{__name__}:sdk_app") -> Iterator[int]:
    """An application under uvicorn, one process; `factory` is the function that makes it."""
    options = f"--factory --log-level warning --no-access-log --host 127.0.0.1 --port {port}".split()
    with _running([sys.executable, "-m", "uvicorn", factory, *options], port) as pid:
        yield pid


def sdk_app() -> Starlette:
    """A server of the `mcp` SDK, stateless, answering in JSON."""
    server = MCPServer("bench", log_level="WARNING")

    @server.tool(name=TOOL)
    def echo(text: str) -> str:
        """Give the text back."""
        return text

    return server.streamable_http_app(stateless_http=True, json_response=True)


@contextmanager
def _running(command: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command)
    try:
        until(
            lambda: process.poll() is not None or _answers(port),
            what=f"{Path(command[0]).name} on port {port}",
        )
        assert process.poll() is None, f"{' '.join(command)} ended with code {process.returncode}"
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
