"""What is made again, and when."""

from __future__ import annotations

import pytest

from gateway.execution.answers import Failure
from gateway.execution.resilience.retry import PAUSE_FIRST_S, PAUSE_MAX_S, is_free, may_repeat, pause_s
from gateway.language.errors import Code

REFUSED = Failure(Code.SUBGRAPH_UNAVAILABLE, "refused", was_sent=False, may_pass=True)
BROKE = Failure(Code.SUBGRAPH_UNAVAILABLE, "broke", may_pass=True)
TIMEOUT = Failure(Code.SUBGRAPH_TIMEOUT, "late")
GARBAGE = Failure(Code.SUBGRAPH_BAD_RESPONSE, "garbage")


def limited(wait_s: float | None) -> Failure:
    return Failure(Code.RATE_LIMITED, "too often", was_sent=False, may_pass=True, retry_after_s=wait_s)


@pytest.mark.parametrize(
    ("failure", "read", "plain_change", "keyed_change"),
    [
        (REFUSED, True, True, True),
        (limited(None), True, True, True),
        (BROKE, True, False, True),
        (TIMEOUT, False, False, False),
        (GARBAGE, False, False, False),
    ],
)
def test_what_is_made_again(failure: Failure, read: bool, plain_change: bool, keyed_change: bool) -> None:
    assert may_repeat(failure, is_read=True, has_key=False) is read
    assert may_repeat(failure, is_read=False, has_key=False) is plain_change
    assert may_repeat(failure, is_read=False, has_key=True) is keyed_change


def pause(failure: Failure, retried: int, drawn: float, remaining_s: float = 60.0, elsewhere: bool = False) -> object:
    return pause_s(failure, retried, remaining_s, lambda: drawn, is_elsewhere=elsewhere)


def test_pauses_are_drawn_between_nothing_and_a_bound_that_doubles() -> None:
    assert [pause(BROKE, retried, 0.0) for retried in range(3)] == [0, 0, 0]
    assert [pause(BROKE, retried, 0.5) for retried in range(3)] == [0.025, 0.05, 0.1]
    assert pause(BROKE, 1, 1.0) == 2 * PAUSE_FIRST_S
    assert pause(BROKE, 20, 1.0) == PAUSE_MAX_S


def test_another_address_is_asked_at_once() -> None:
    assert pause(REFUSED, 0, 1.0, elsewhere=True) == 0


def test_who_says_when_is_not_asked_before() -> None:
    assert pause(limited(3.0), 0, 0.0) == 3.0
    assert pause(limited(3.0), 0, 1.0) == 3.0 + PAUSE_FIRST_S
    assert pause(limited(3.0), 0, 0.0, elsewhere=True) == 3.0
    assert pause(limited(0.0), 0, 0.5) == 0.5 * PAUSE_FIRST_S


@pytest.mark.parametrize(("failure", "remaining_s"), [(limited(3.0), 2.9), (BROKE, 0.06), (REFUSED, 0.0)])
def test_without_time_there_is_no_other_attempt(failure: Failure, remaining_s: float) -> None:
    assert pause(failure, 0, 1.0, remaining_s) is None


def test_only_an_attempt_after_one_that_reached_nobody_and_elsewhere_is_free() -> None:
    assert is_free(REFUSED, is_elsewhere=True)
    assert not is_free(REFUSED, is_elsewhere=False)
    assert not is_free(BROKE, is_elsewhere=True)
