from collections.abc import Iterator

import httpx2
import pytest

from app.cli.nginx import find
from tests.e2e.attach import Attach, attaching
from tests.e2e.load import Target
from tests.e2e.stack import Stack, until


@pytest.fixture(scope="package")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Gatepost whose processes these tests may stop."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(tmp_path_factory.mktemp("faults"))
    yield here
    here.stop()


@pytest.fixture(scope="package")
def attach(own: Stack) -> Iterator[Attach]:
    """Puts a server in trouble behind the gateway."""
    with attaching(own) as attach:
        yield attach


@pytest.fixture(scope="package")
def steady(attach: Attach) -> Target:
    """The good server, whose callers must notice nothing."""
    return attach("good")


@pytest.fixture(autouse=True)
def whole(own: Stack) -> None:
    """Each test begins with every process there."""
    until(lambda: ready(own), what="readiness")


def ready(stack: Stack) -> bool:
    try:
        return httpx2.get(f"{stack.url}/readyz").status_code == 200
    except httpx2.TransportError:
        return False
