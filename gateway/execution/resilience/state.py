"""What is remembered of a target between calls: its addresses' breakers, its latencies, and its budgets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from gateway.execution.answers import Reason
from gateway.execution.resilience.breaker import Breaker, BreakerState
from gateway.execution.resilience.budget import Budget
from gateway.execution.resilience.latencies import Latencies

__all__ = ["Resilience"]


class Resilience:
    """Of a subgraph or a member; all its requests share it."""

    __slots__ = ("breakers", "counted", "hedges", "latencies", "retries")

    def __init__(self, addresses: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.breakers = tuple(Breaker(clock) for _ in range(addresses))
        """One for each address: when the first is silent, the second is asked."""
        self.latencies = Latencies()
        self.retries = Budget(clock=clock)
        self.hedges = Budget(clock=clock)
        """Apart from that of retries: slow answers must not use up what broken connections need."""
        self.counted: Counter[Reason] = Counter()
        """Attempts other than first ones, for metrics."""

    def address(self, avoid: int | None = None) -> int | None:
        """The first address that may be asked, `avoid` as the last of all; None: all breakers are open."""
        if avoid is None and not self.breakers[0].refuses():
            return 0
        places = sorted(range(len(self.breakers)), key=lambda place: place == avoid)
        return next((place for place in places if not self.breakers[place].refuses()), None)

    @property
    def breaker_state(self) -> BreakerState:
        """Of the target as a whole: as good as its best address."""
        states = {one.state for one in self.breakers}
        return next(one for one in (BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN) if one in states)
