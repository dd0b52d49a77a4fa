"""Whose address counts: the client's as a trusted load balancer names it, and nobody's own word."""

import httpx2
import pytest

from tests.e2e.abuse.logins import log_in
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
MISSES = 120


def test_behind_a_load_balancer_the_client_it_names_is_throttled_alone(balanced: Stack) -> None:
    answers = [log_in(balanced, username="walter", address="203.0.113.1").status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]
    assert log_in(balanced, username="walter", address="203.0.113.2").status_code == 403


def test_what_the_client_wrote_before_the_load_balancers_word_counts_for_nothing(balanced: Stack) -> None:
    chains = [f"192.0.2.{number}, 203.0.113.3, 10.9.0.{number}" for number in range(1, 7)]
    answers = [log_in(balanced, username="wendy", address=chain).status_code for chain in chains]
    assert answers == [403] * 5 + [429]


def test_bad_tokens_of_one_client_do_not_close_the_gateway_to_another(balanced: Stack) -> None:
    def ask(address: str, number: int) -> int:
        headers = {"Authorization": f"Bearer wrong-{number}", "X-Forwarded-For": address}
        return httpx2.get(f"{balanced.url}/api/servers", headers=headers).status_code

    seen = [ask("203.0.113.10", number) for number in range(MISSES + 1)]
    assert set(seen[:MISSES]) == {401}
    assert seen[MISSES] == 429
    assert ask("203.0.113.11", 0) == 401


def test_without_trusted_proxies_a_client_cannot_name_itself(stack: Stack) -> None:
    answers = [
        log_in(stack, username="mallory", address=f"203.0.113.{number}").status_code for number in range(6)
    ]
    assert answers == [403] * 5 + [429]
