import pytest
from hypothesis import settings

from tests.mongodb.fixtures import SERVERS, backend, mongodb, mongodb_server  # noqa: F401  (fixtures)

CONTRACT = ("store", "leases", "codes", "moving", "interleavings")
pytest.register_assert_rewrite(*(f"tests.contract.{name}" for name in CONTRACT))
settings.register_profile("any-machine", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("any-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=["sqlite", *SERVERS], default="sqlite", help="of tests/e2e")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
