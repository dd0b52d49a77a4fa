import pytest

pytest.register_assert_rewrite("tests.contract.store", "tests.contract.leases")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
