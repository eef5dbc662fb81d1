"""A store that does not answer is left in peace, longer each time."""

from __future__ import annotations

import pytest

from adapters.breaker import STORE_RESTING, Breaker
from adapters.model import StoreUnavailable

AWAY = StoreUnavailable("the store is away")


class Clock:
    def __init__(self) -> None:
        self.time_s = 0.0

    def __call__(self) -> float:
        return self.time_s


def rests(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except StoreUnavailable as error:
        return error.code == STORE_RESTING and str(error).startswith("the store is away")
    return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_two_failures_are_none(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(2):
        breaker.failed(AWAY)
    assert not rests(breaker)


def test_it_rests_twice_as_long_each_time_up_to_a_bound(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(3):
        breaker.failed(AWAY)
    for rest_s in (1, 2, 4, 8, 16, 30, 30):
        clock.time_s += rest_s - 0.1
        assert rests(breaker)
        clock.time_s += 0.2
        assert not rests(breaker), "one may try"
        assert rests(breaker), "and no other beside it"
        breaker.failed(AWAY)


def test_an_answer_ends_it(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(3):
        breaker.failed(AWAY)
    breaker.answered()
    assert not rests(breaker)
    breaker.failed(AWAY)
    assert not rests(breaker)


def test_a_refused_password_rests_longest_at_once(clock: Clock) -> None:
    breaker = Breaker(clock)
    breaker.failed(AWAY, for_good=True)
    clock.time_s = 29
    assert rests(breaker)
    clock.time_s = 31
    assert not rests(breaker)
