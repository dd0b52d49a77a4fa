"""Servers of different eras at one gateway, which is one origin for a client."""

import pytest

from tests.e2e.sdks.conftest import Attach
from tests.e2e.sdks.programs import look, skip_unless_installed
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("order", [["python", "python1"] * 2, ["python1", "python"] * 2], ids="-".join)
@pytest.mark.parametrize("client", ["python-auto", "typescript2-auto"])
def test_one_client_process_finds_the_era_of_each_server(
    stack: Stack, attach: Attach, client: str, order: list[str]
) -> None:
    skip_unless_installed(client)
    slugs = [attach(server) for server in order]
    token = stack.token(*sorted(set(slugs)))
    saw = look(client, token, *(f"{stack.url}/mcp/{slug}" for slug in slugs))
    eras = {"python": "2026-07-28", "python1": "2025-11-25"}
    assert [each["version"] for each in saw] == [eras[server] for server in order]
    assert {each["sum"] for each in saw} == {"5"}
