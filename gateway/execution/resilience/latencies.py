"""How long a target's answers take: the last ones, in a ring, and the time within which 95 % of them came.

What is kept is bounded, and what is read is sorted again only after some new ones: a percentile of so few moves little
with each. Requests that were given up are not in it, so where many are the figure is too low; what a low figure could
do (ask twice too often) is bounded by its own budget.
"""

from __future__ import annotations

from math import ceil

__all__ = ["Latencies"]

KEPT_MAX = 128
"""Enough for six beyond the 95th percentile, and forgotten within seconds under load."""
NEEDED_MIN = 20
"""Fewer have no 95th percentile: it would be the slowest of them."""
SORTED_EVERY = 16
SHARE = 0.95


class Latencies:
    __slots__ = ("_count", "_p95", "_ring", "_stale")

    def __init__(self) -> None:
        self._ring: list[float] = []
        self._count = 0
        self._stale = SORTED_EVERY
        self._p95: float | None = None

    def record(self, seconds: float) -> None:
        if len(self._ring) < KEPT_MAX:
            self._ring.append(seconds)
        else:
            self._ring[self._count % KEPT_MAX] = seconds
        self._count += 1
        self._stale += 1

    def p95(self) -> float | None:
        """In seconds; None while too few answers are known."""
        if len(self._ring) < NEEDED_MIN:
            return None
        if self._p95 is None or self._stale >= SORTED_EVERY:
            self._p95 = sorted(self._ring)[ceil(len(self._ring) * SHARE) - 1]
            self._stale = 0
        return self._p95
