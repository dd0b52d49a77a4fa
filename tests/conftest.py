import pytest

pytest.register_assert_rewrite("tests.contract.store")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
