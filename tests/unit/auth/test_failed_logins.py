"""The rule of failed logins: few guesses for strangers, and a way in for the owner all the while."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.login import failures
from app.auth.login.failures import PER_ADDRESS, PER_NAME, PER_PAIR, REMEMBERED, WINDOW_S, FailedLogins

HOME = "192.0.2.1"
NAMES = st.sampled_from(["owner", "other", "nobody"])
ADDRESSES = st.integers(0, 80).map(lambda number: f"198.51.100.{number}")
ATTEMPTS = st.lists(st.tuples(NAMES, ADDRESSES), max_size=400)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(ATTEMPTS)
def test_of_any_attempts_in_a_window_few_are_made(attempts: list[tuple[str, str]]) -> None:
    rule = FailedLogins(Clock())
    made = [attempt for attempt in attempts if rule.attempt(*attempt) == 0]
    names, addresses = zip(*made, strict=True) if made else ((), ())
    assert all(made.count(pair) <= PER_PAIR for pair in made)
    assert all(addresses.count(address) <= PER_ADDRESS for address in addresses)
    assert all(names.count(name) <= PER_NAME for name in names)


@given(ATTEMPTS, st.integers(0, PER_PAIR - 1))
def test_the_owner_gets_in_from_a_familiar_address_whatever_strangers_do(
    attempts: list[tuple[str, str]], slips: int
) -> None:
    rule = FailedLogins(Clock())
    assert rule.attempt("owner", HOME) == 0
    rule.succeeded("owner", HOME)
    for attempt in attempts:
        rule.attempt(*attempt)
    assert [rule.attempt("owner", HOME) for _ in range(slips + 1)] == [0] * (slips + 1)


def test_a_name_that_is_tried_from_everywhere_is_closed_to_strangers_until_the_window_ends() -> None:
    clock = Clock()
    rule = FailedLogins(clock)
    for number in range(PER_NAME):
        assert rule.attempt("owner", f"198.51.100.{number}") == 0
    assert rule.attempt("owner", "203.0.113.1") > 0
    assert rule.attempt("other", "203.0.113.1") == 0
    clock.now += WINDOW_S
    assert rule.attempt("owner", "203.0.113.1") == 0


def test_an_address_that_tries_name_after_name_is_refused() -> None:
    rule = FailedLogins()
    for number in range(PER_ADDRESS):
        assert rule.attempt(f"name{number}", HOME) == 0
    assert rule.attempt("owner", HOME) > 0
    assert rule.attempt("owner", "203.0.113.1") == 0


def test_a_success_forgives_its_name_there_and_not_the_address() -> None:
    rule = FailedLogins()
    for _ in range(PER_ADDRESS - 1):
        assert rule.attempt("mine", HOME) == 0
        rule.succeeded("mine", HOME)
    for number in range(PER_ADDRESS):
        assert rule.attempt(f"name{number}", HOME) == 0
        rule.attempt("mine", HOME) or rule.succeeded("mine", HOME)
    assert rule.attempt("one-more", HOME) > 0


def test_a_host_of_ipv6_has_one_limit_for_all_its_addresses() -> None:
    rule = FailedLogins()
    for number in range(PER_PAIR):
        assert rule.attempt("owner", f"2001:db8::{number:x}:1") == 0
    assert rule.attempt("owner", "2001:db8::ffff") > 0
    assert rule.attempt("owner", "2001:db8:0:1::1") == 0
    assert rule.attempt("owner", "::ffff:192.0.2.1") == 0


def test_no_table_grows_beyond_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "REMEMBERED", 100)
    rule = FailedLogins()
    for number in range(300):
        rule.attempt(f"name{number}", f"10.0.{number // 250}.{number % 250}")
        rule.succeeded(f"user{number}", f"10.0.{number // 250}.{number % 250}")
    sizes = [len(table._tried) for table in (rule._pairs, rule._addresses, rule._names)]
    assert [*sizes, len(rule._familiar)] == [100] * 4
    assert REMEMBERED == 10_000
