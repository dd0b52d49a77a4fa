import pytest
from hypothesis import settings

from tests.mongodb.fixtures import backend, mongodb, mongodb_server  # noqa: F401  (fixtures)

pytest.register_assert_rewrite("tests.contract.store", "tests.contract.leases")
settings.register_profile("any-machine", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("any-machine")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
