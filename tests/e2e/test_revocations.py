"""Whatever takes a right away takes it at every gateway within two seconds, and ends open streams."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e import troubled
from tests.e2e.beside import second_gateway
from tests.e2e.revoking import KINDS, granted
from tests.e2e.stack import Stack, until
from tests.e2e.watching import call, open_stream

pytestmark = pytest.mark.e2e
FORCE_S, POLL_S = 2.0, 0.5
SLUG = "revoked"


@pytest.fixture(scope="module")
def urls(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two gateways before a server that answers `echo`, and `ticks` by a stream without an end."""
    with (
        troubled.running("good") as server,
        second_gateway(stack, tmp_path_factory.mktemp("second")) as second,
    ):
        stack.register(SLUG, server)
        yield [f"{origin}/mcp/{SLUG}" for origin in (stack.url, second)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_that_is_taken_away_is_gone_at_two_gateways_and_from_their_streams(
    stack: Stack, urls: list[str], kind: str
) -> None:
    right = granted(stack, SLUG, kind)
    assert [call(url, right) for url in urls] == ["ran", "ran"]
    with open_stream(urls[0], right) as first, open_stream(urls[1], right) as second:
        right.revoke()
        revoked = time.monotonic()
        until(lambda: all(call(url, right) == right.rule for url in urls), what="the refusals")
        refused = time.monotonic()
        until(lambda: first and second, what="the ends of the streams")
    assert refused - revoked < FORCE_S + POLL_S
    assert max(first[0], second[0]) - revoked < FORCE_S + POLL_S
