from collections.abc import Iterator

import pytest

from app.cli.nginx import find
from tests.e2e.bypass.fixtures import era, gate, open_gate, tls_stack  # noqa: F401  (fixtures)
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running Gatepost for every test that does not stop a part of it."""
    if find() is None:
        pytest.skip("no NGINX with Lua: apt-get install nginx libnginx-mod-http-lua lua-cjson lua-resty-core")
    here = Stack.start(tmp_path_factory.mktemp("stack"))
    yield here
    here.stop()


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    upstream = Recorder()
    yield upstream
    upstream.stop()


@pytest.fixture
def upstream(recorder: Recorder) -> Recorder:
    """The recording upstream, with nothing received yet."""
    recorder.received.clear()
    recorder.answer = Answer()
    return recorder
