"""Which of a target's addresses is asked."""

from __future__ import annotations

from gateway.execution.resilience.breaker import FAILURES_MAX, OPEN_FIRST_S, BreakerState
from gateway.execution.resilience.state import Resilience
from tests.gateway.execution.resilience.clock import Clock


def fail(state: Resilience, address: int) -> None:
    for _ in range(FAILURES_MAX):
        began = state.breakers[address].enter()
        assert began is not None
        state.breakers[address].failed(began)


def test_the_first_address_that_may_be_asked() -> None:
    clock = Clock()
    state = Resilience(2, clock)
    assert state.address() == 0
    fail(state, 0)
    assert state.address() == 1
    assert state.breaker_state is BreakerState.CLOSED
    fail(state, 1)
    assert state.address() is None
    assert state.breaker_state is BreakerState.OPEN
    clock.now += OPEN_FIRST_S
    assert state.address() == 0
    assert state.breaker_state is BreakerState.HALF_OPEN


def test_who_failed_is_asked_again_only_when_nobody_else_may_be() -> None:
    state = Resilience(2, Clock())
    assert state.address(avoid=0) == 1
    assert state.address(avoid=1) == 0
    fail(state, 1)
    assert state.address(avoid=0) == 0
    assert Resilience(1, Clock()).address(avoid=0) == 0
