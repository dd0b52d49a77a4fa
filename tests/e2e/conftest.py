import itertools
from collections.abc import Iterator

import pytest

from app.cli.nginx import find
from tests.e2e.bypass.fixtures import era, gate, open_gate, tls_stack  # noqa: F401  (fixtures)
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.stack import Stack


@pytest.fixture(scope="session", autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    """With `--store mongodb` every Gatepost that a test starts has a database of its own there."""
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    server = request.getfixturevalue("mongodb_server")
    names = itertools.count()
    Stack.database = lambda: {"GATEPOST_MONGODB_URI": server.database(f"stack{next(names)}")}
    yield
    Stack.database = dict


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
