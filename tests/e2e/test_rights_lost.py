"""Whatever takes a right away is in force at every gateway within two seconds of its answer."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.e2e.beside import person, second_gateway
from tests.e2e.calling import call
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
FORCE_S = 2.0
AT = "/api/group-mappings/corp?group=staff"
READERS = {
    "name": "lost",
    "groups": ["lost-readers"],
    "servers": [{"server": "lost", "methods": ["tools/call"], "tools": ["*"]}],
}


@pytest.fixture(scope="module")
def gateways(
    stack: Stack, recorder: Recorder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, Stack]]:
    stack.register("lost", recorder.url)
    with second_gateway(stack, tmp_path_factory.mktemp("gateway")) as origin:
        yield stack, replace(stack, url=origin)


def outcomes(gateways: tuple[Stack, Stack], token: str) -> set[str]:
    return {call(gateway, "lost", token) for gateway in gateways}


def revoke(stack: Stack) -> None:
    query = "?subject=corp:carol"
    for token in stack.api("GET", f"/api/tokens{query}", expect=200).json()["items"]:
        stack.api("DELETE", f"/api/tokens/{token['id']}{query}", expect=204)


CHANGES: dict[str, tuple[Callable[[Stack], object], str]] = {
    "the token is revoked": (revoke, "revoked"),
    "the scope is deleted": (lambda stack: stack.api("DELETE", "/api/scopes/lost", expect=204), "server"),
    "the scope shrinks": (
        lambda stack: stack.api(
            "PUT",
            "/api/scopes/lost",
            {**READERS, "servers": [{"server": "lost", "methods": ["tools/call"], "tools": ["other"]}]},
            expect=200,
        ),
        "tool",
    ),
    "the group is mapped to nothing": (lambda stack: stack.api("PUT", AT, {"groups": []}), "server"),
    "the mapping is deleted": (lambda stack: stack.api("DELETE", AT, expect=204), "server"),
    "the provider takes the group away": (lambda stack: person(stack, "corp:carol"), "server"),
    "the server is disabled": (lambda stack: stack.api("POST", "/api/servers/lost/disable"), "disabled"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_right_ends_at_two_gateways_within_two_seconds(
    gateways: tuple[Stack, Stack], upstream: Recorder, change: str
) -> None:
    stack = gateways[0]
    stack.api("DELETE", "/api/scopes/lost")
    stack.api("POST", "/api/scopes", READERS, expect=201)
    stack.api("PUT", AT, {"groups": ["lost-readers"]}, expect=200)
    stack.api("POST", "/api/servers/lost/enable", expect=200)
    token = person(stack, "corp:carol", "staff")
    until(lambda: outcomes(gateways, token) == {"ran"})
    make, rule = CHANGES[change]
    make(stack)
    changed = time.monotonic()
    until(lambda: outcomes(gateways, token) == {rule}, FORCE_S + 0.5, change)
    print(f"{change}: in force at both gateways after {time.monotonic() - changed:.2f} s")
