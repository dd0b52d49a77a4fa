import contextlib
from collections.abc import Iterator

import pytest

from tests.e2e.sdks.programs import CLIENTS, SERVERS, look, missing, running
from tests.e2e.sdks.visit import TOOLS, Visit
from tests.e2e.stack import Stack

Visits = dict[str, dict[str, Visit]]


@pytest.fixture(scope="session")
def slugs(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The slug of each server that is installed; all of them run behind one gateway."""
    logs = tmp_path_factory.mktemp("servers")
    with contextlib.ExitStack() as servers:
        slugs = {name: f"sdk-{name}" for name in SERVERS if not missing(name)}
        for name, slug in slugs.items():
            stack.register(slug, servers.enter_context(running(name, logs / name)))
            stack.scope(slug, slug, tools=TOOLS)
        yield slugs


@pytest.fixture(scope="session")
def visits(stack: Stack, slugs: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Visits:
    """By client and server: each client is one process that visits all servers, one after another."""
    logs = tmp_path_factory.mktemp("clients")
    visits: Visits = {}
    for client in CLIENTS:
        if missing(client):
            continue
        body = {"name": client, "scopes": list(slugs.values())}
        token = stack.api("POST", "/api/tokens", body, expect=201).json()
        urls = [f"{stack.url}/mcp/{slug}" for slug in slugs.values()]
        saw, complaints = look(client, token["value"], urls, logs / client)
        unseen = [None] * (len(slugs) - len(saw))
        visits[client] = {
            server: Visit(stack, slug, token["id"], seen, complaints)
            for (server, slug), seen in zip(slugs.items(), [*saw, *unseen], strict=True)
        }
    return visits
