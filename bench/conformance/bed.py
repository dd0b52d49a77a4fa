"""Both columns of every requirement set: the fixture server directly, and the same behind Gatepost.

The suite cannot send a bearer token, so a hop in front of the gateway adds it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from app.cli.nginx import Nginx
from bench.conformance import suite
from bench.conformance.compare import Columns
from bench.gateway.backends import COMMON, running_nginx, running_sdk_server
from tests.e2e.stack import Stack, free_port

SLUG = "conformance"

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


def both(program: Path, nginx: Nginx, stack: Stack, folder: Path) -> Iterator[Columns]:
    """Run the suite, one revision after the other; the results stay in `folder`."""
    port = free_port()
    with running_sdk_server(port, "bench.conformance.fixture.server:app"):
        direct = f"http://127.0.0.1:{port}/mcp"
        stack.register(SLUG, direct)
        stack.scope(SLUG, SLUG)
        with _adding_token(nginx, folder / "hop", stack.url, stack.token(SLUG)) as origin:
            for revision in suite.REVISIONS:
                yield Columns(
                    revision,
                    suite.required(program, revision),
                    suite.run(program, revision, direct, folder / revision / "direct"),
                    suite.run(program, revision, f"{origin}/mcp/{SLUG}", folder / revision / "gateway"),
                )


@contextmanager
def _adding_token(nginx: Nginx, folder: Path, gateway_url: str, token: str) -> Iterator[str]:
    port = free_port()
    names = {"own": f"127.0.0.1:{port}", "gateway": urlsplit(gateway_url).netloc, "token": token}
    with running_nginx(nginx, folder, COMMON + HOP % names, port):
        yield f"http://{names['own']}"
