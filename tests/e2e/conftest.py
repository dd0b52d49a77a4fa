from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.cli.nginx import find
from tests.e2e.bypass.fixtures import era, gate, open_gate, tls_stack  # noqa: F401  (fixtures)
from tests.e2e.recorder import Answer, Recorder
from tests.e2e.stack import Stack
from tests.mongodb.fixtures import OURS, new_database

ON_ONE_STORE = [
    # what passes through the gateway, whatever keeps the policy
    *("a2a/test_wire.py", "abuse/test_hosts.py", "abuse/test_large_headers.py", "bypass", "sdks"),
    *("faults/test_troubled_upstreams.py", "test_conformance.py", "test_everything.py", "test_http_sse.py"),
    *("test_limits.py", "test_metrics.py", "test_modern.py", "test_public_address.py", "test_readers.py"),
    *("test_server_stream.py", "test_server_stream_faults.py", "test_slots.py", "test_tls.py"),
    *("test_upstream_addresses.py", "test_upstream_answers.py", "test_upstream_timeouts.py"),
    # minutes with a provider that answers late, or not at all
    *("abuse/test_failed_logins.py", "idp/test_agents.py", "idp/test_identities.py", "idp/test_outages.py"),
    # no running Gatepost, or one that names its own store
    *("idp/test_parts.py", "outage", "shared", "test_moving.py", "test_readme.py", "test_wheel.py"),
    # the file of SQLite
    "faults/test_storage.py",
]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.getoption("--store") == "sqlite":
        return None
    here = Path(__file__).parent
    return any(collection_path == here / name for name in ON_ONE_STORE) or None


@pytest.fixture(scope="session", autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    """With `--store` of a server every Gatepost that a test starts has collections of its own there."""
    if (server := request.config.getoption("--store")) == "sqlite":
        yield
        return
    if server == OURS:
        request.getfixturevalue("mongodb_server")  # outlives what is dropped in the end
    with ExitStack() as made:
        Stack.database = lambda: made.enter_context(contextmanager(new_database)(request, server))
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
