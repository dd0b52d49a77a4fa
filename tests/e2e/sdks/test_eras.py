"""Servers of different eras at one gateway, which is one origin for a client."""

import pytest

from tests.e2e.sdks.conftest import Attach
from tests.e2e.sdks.programs import look, skip_unless_installed
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


ERAS = {"python": "2026-07-28", "python1": "2025-11-25"}
ORDER = ["python", "python1", "python"]


@pytest.mark.parametrize("client", ["python-auto", "typescript2-auto"])
def test_one_client_process_finds_the_era_of_each_server(stack: Stack, attach: Attach, client: str) -> None:
    skip_unless_installed(client)
    slugs = [attach(server) for server in ORDER]
    saw = look(client, stack.token(*slugs[:2]), *(f"{stack.url}/mcp/{slug}" for slug in slugs))
    assert [each["version"] for each in saw] == [ERAS[server] for server in ORDER]
    assert [each["sum"] for each in saw] == ["5"] * len(ORDER)
