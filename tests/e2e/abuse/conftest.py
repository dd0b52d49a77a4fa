from collections.abc import Iterator

import pytest

from app.cli.nginx import find
from tests.e2e.stack import Stack


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost behind a load balancer on loopback: the last X-Forwarded-For says who the client is."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(
        tmp_path_factory.mktemp("balanced"), GATEPOST_TRUSTED_PROXIES="127.0.0.0/8, 10.9.0.0/16"
    )
    yield here
    here.stop()
