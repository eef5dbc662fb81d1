"""When an address is not asked any more, and when it is again."""

from __future__ import annotations

import pytest

from gateway.execution.resilience.breaker import (
    FAILURES_MAX,
    OPEN_FIRST_S,
    OPEN_MAX_S,
    WAIT_MIN_S,
    Breaker,
    BreakerState,
)
from tests.gateway.execution.resilience.clock import Clock

PATIENCE_S = 4.0


class Asked:
    """A breaker on a clock that the test sets."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.breaker = Breaker(self.clock)

    def begin(self) -> float:
        began = self.breaker.enter()
        assert began is not None
        return began

    def fail(self) -> None:
        self.breaker.failed(self.begin())

    def wait_in_vain(self, seconds: float) -> None:
        began = self.begin()
        self.clock.now += seconds
        self.breaker.silent(began, PATIENCE_S)

    def open(self) -> None:
        for _ in range(FAILURES_MAX):
            self.fail()
        assert self.breaker.state is BreakerState.OPEN


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_failures_in_a_row_open_it(asked: Asked) -> None:
    for _ in range(FAILURES_MAX - 1):
        asked.fail()
    assert asked.breaker.state is BreakerState.CLOSED
    asked.fail()
    assert asked.breaker.state is BreakerState.OPEN
    assert asked.breaker.refuses()
    assert asked.breaker.enter() is None


def test_an_answer_in_between_ends_the_row(asked: Asked) -> None:
    for _ in range(3):
        for _ in range(FAILURES_MAX - 1):
            asked.fail()
        asked.breaker.answered(asked.begin())
    assert asked.breaker.state is BreakerState.CLOSED


def test_a_request_that_waits_the_whole_time_opens_it(asked: Asked) -> None:
    asked.wait_in_vain(PATIENCE_S)
    assert asked.breaker.refuses()


def test_shorter_silences_add_up(asked: Asked) -> None:
    for _ in range(3):
        asked.wait_in_vain(PATIENCE_S / 4)
        asked.clock.now += 60
    assert not asked.breaker.refuses()
    asked.wait_in_vain(PATIENCE_S / 4)
    assert asked.breaker.refuses()


def test_who_waits_side_by_side_waits_once(asked: Asked) -> None:
    waiting = [asked.begin() for _ in range(50)]
    asked.clock.now += PATIENCE_S / 2
    for began in waiting:
        asked.breaker.silent(began, PATIENCE_S)
    assert not asked.breaker.refuses()


def test_a_heavy_query_opens_nothing_while_others_are_answered(asked: Asked) -> None:
    heavy = asked.begin()
    asked.clock.now += PATIENCE_S - 0.3
    asked.breaker.answered(asked.begin())
    asked.clock.now += 0.3
    asked.breaker.silent(heavy, PATIENCE_S)
    assert not asked.breaker.refuses()


def test_impatient_clients_talk_nobody_down(asked: Asked) -> None:
    for _ in range(1000):
        asked.wait_in_vain(WAIT_MIN_S * 0.9)
    assert not asked.breaker.refuses()


def test_a_timeout_may_be_shorter_than_what_else_counts_as_impatience(asked: Asked) -> None:
    began = asked.begin()
    asked.clock.now += WAIT_MIN_S / 2
    asked.breaker.silent(began, WAIT_MIN_S / 4)
    assert asked.breaker.refuses()


def test_one_probe_goes_through_and_its_answer_closes_it(asked: Asked) -> None:
    asked.open()
    asked.clock.now += OPEN_FIRST_S
    assert asked.breaker.state is BreakerState.HALF_OPEN
    probe = asked.begin()
    assert asked.breaker.enter() is None
    asked.clock.now += 0.5
    assert asked.breaker.answered(probe) == 0.5
    assert asked.breaker.state is BreakerState.CLOSED
    asked.begin()


def test_each_failed_probe_doubles_the_time_up_to_a_bound(asked: Asked) -> None:
    asked.open()
    periods = []
    for _ in range(8):
        opened = asked.clock.now
        while asked.breaker.refuses():
            asked.clock.now += 0.5
        periods.append(asked.clock.now - opened)
        asked.fail()
    assert periods == [1.0, 2.0, 4.0, 8.0, 16.0, OPEN_MAX_S, OPEN_MAX_S, OPEN_MAX_S]


def test_a_silent_probe_fails(asked: Asked) -> None:
    asked.open()
    asked.clock.now += OPEN_FIRST_S
    asked.wait_in_vain(WAIT_MIN_S)
    assert asked.breaker.refuses()
    asked.clock.now += OPEN_FIRST_S
    assert asked.breaker.refuses(), "twice as long by now"


def test_after_a_probe_that_nobody_waited_for_comes_another_one(asked: Asked) -> None:
    asked.open()
    asked.clock.now += OPEN_FIRST_S
    asked.breaker.gave_up(asked.begin())
    assert asked.breaker.refuses(), "not one probe after the other"
    asked.clock.now += OPEN_FIRST_S
    asked.breaker.answered(asked.begin())
    assert asked.breaker.state is BreakerState.CLOSED


def test_what_was_under_way_when_it_opened_is_no_probe(asked: Asked) -> None:
    late = asked.begin()
    asked.clock.now += 0.1
    asked.open()
    asked.clock.now += OPEN_FIRST_S
    asked.breaker.failed(late)
    asked.breaker.silent(late, PATIENCE_S)
    probe = asked.begin()
    asked.breaker.failed(late)
    asked.breaker.gave_up(late)
    assert asked.breaker.enter() is None, "the probe is still on its way"
    asked.breaker.answered(probe)
    assert not asked.breaker.refuses()


def test_an_answer_that_was_under_way_closes_it(asked: Asked) -> None:
    late = asked.begin()
    asked.clock.now += 0.1
    asked.open()
    asked.breaker.answered(late)
    assert asked.breaker.state is BreakerState.CLOSED


def test_once_closed_the_next_opening_is_short_again(asked: Asked) -> None:
    asked.open()
    asked.clock.now += OPEN_FIRST_S
    asked.fail()
    asked.clock.now += 2 * OPEN_FIRST_S
    asked.breaker.answered(asked.begin())
    asked.open()
    asked.clock.now += OPEN_FIRST_S
    assert not asked.breaker.refuses()
