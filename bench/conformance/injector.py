"""A hop in front of the gateway that adds the bearer token, which the suite cannot send."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from app.cli.nginx import Nginx
from bench.gateway.backends import COMMON, running_nginx
from tests.e2e.stack import free_port

# Only its own address becomes the gateway's in Host and Origin: a foreign one passes as the suite sent it,
# since the scenario of DNS rebinding is about just that.
HOP = """\
    access_log off;
    map $http_host $as_host {
        "%(own)s" "%(gateway)s";
        default $http_host;
    }
    map $http_origin $as_origin {
        "http://%(own)s" "http://%(gateway)s";
        default $http_origin;
    }
    server {
        listen %(own)s;
        location / {
            proxy_pass http://%(gateway)s;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $as_host;
            proxy_set_header Origin $as_origin;
            proxy_set_header Authorization "Bearer %(token)s";
            proxy_buffering off;
            proxy_read_timeout 300s;
        }
    }
}
"""


@contextmanager
def injecting(nginx: Nginx, folder: Path, gateway_url: str, token: str) -> Iterator[str]:
    """An NGINX with its files in `folder` that adds `token`, as long as the block runs; gives its origin."""
    port = free_port()
    names = {"own": f"127.0.0.1:{port}", "gateway": urlsplit(gateway_url).netloc, "token": token}
    with running_nginx(nginx, folder, COMMON + HOP % names, port):
        yield f"http://{names['own']}"
