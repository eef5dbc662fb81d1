"""The bucket: what is repeated stays a small part of what is asked."""

from __future__ import annotations

from gateway.execution.resilience.budget import RATIO, TOKENS_MAX, TRICKLE_PER_S, Budget
from tests.gateway.execution.resilience.clock import Clock


def spend_all(budget: Budget) -> int:
    spent = 0
    while budget.withdraw():
        spent += 1
    return spent


def test_a_burst_is_what_could_be_saved_up() -> None:
    budget = Budget(clock=Clock())
    for _ in range(1000):
        budget.deposit()
    assert spend_all(budget) == TOKENS_MAX


def test_when_all_fail_the_load_grows_by_the_ratio() -> None:
    budget = Budget(clock=Clock())
    spend_all(budget)
    repeated = 0
    for _ in range(1000):
        budget.deposit()
        repeated += budget.withdraw()
    assert abs(repeated - 1000 * RATIO) <= 1


def test_time_alone_fills_it_slowly() -> None:
    clock = Clock()
    budget = Budget(clock=clock)
    spend_all(budget)
    clock.now += 3 / TRICKLE_PER_S
    assert spend_all(budget) == 3
    clock.now += 3600
    assert spend_all(budget) == TOKENS_MAX
