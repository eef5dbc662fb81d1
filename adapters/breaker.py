"""A store that does not answer is left in peace for a while, and longer each time.

    closed ──failures_max in a row──▶ resting ──rest is over──▶ one try ──well──▶ closed
                                         ▲                        │
                                         └───twice as long────────┘

Only connecting counts: a statement that fails says nothing of the store. A store that refuses the password rests at
once and longest: it may count the tries, and lock the account.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from adapters.model import StoreUnavailable

__all__ = ["STORE_RESTING", "Breaker"]

STORE_RESTING = "STORE_RESTING"
_FAILURES_MAX = 3
_REST_MIN_S = 1.0
_REST_MAX_S = 30.0


class Breaker:
    """One store's. `clock` is turned by hand in tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._rest_s = 0.0
        self._until = 0.0
        self._last: StoreUnavailable | None = None

    def check(self) -> None:
        """Raises what the store said last while it rests. After its rest one caller may try, the others wait on."""
        if self._last is None or not self._rest_s:
            return
        now = self._clock()
        left = self._until - now
        if left > 0:
            message = f"{self._last}; it is asked again in {left:.0f} s" if left >= 1 else str(self._last)
            raise StoreUnavailable(message, STORE_RESTING)
        self._until = now + self._rest_s

    def answered(self) -> None:
        self._failures, self._rest_s, self._last = 0, 0.0, None

    def failed(self, error: StoreUnavailable, *, for_good: bool = False) -> None:
        """`for_good`: nothing but a change at the store or in our settings will mend it."""
        self._failures, self._last = self._failures + 1, error
        if for_good:
            self._rest_s = _REST_MAX_S
        elif self._failures >= _FAILURES_MAX:
            self._rest_s = min(max(self._rest_s * 2, _REST_MIN_S), _REST_MAX_S)
        self._until = self._clock() + self._rest_s
