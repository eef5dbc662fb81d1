"""What planning counts, and where it stops.

Plans are compared by rounds first: a round is a wait for the network, and waits add up where fetches of one round
do not. Then by fetches: each costs a request, a connection and a parse on both sides. Then by fields that nobody asked
for: keys and requirements, which are selected, sent and read for the plan's own sake.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.language.errors import Code, GatewayError, PlanningRefused

__all__ = [
    "BATCH_PARTS_MAX",
    "EXPANDED_FIELDS_MAX",
    "FETCHES_MAX",
    "FETCH_COST",
    "FIELD_COST",
    "FREE",
    "OUTPUT_VARIANTS_MAX",
    "ROUND_COST",
    "SEARCH_STEPS_MAX",
    "TARGETS_TRIED_TOGETHER_MAX",
    "Budget",
    "Cost",
    "refused",
    "too_complex",
]

ROUND_COST = 1
"""One wait for one wave of fetches."""
FETCH_COST = 1
"""One request to one subgraph."""
FIELD_COST = 1
"""One field of a key or a requirement, however deep it stands; what the client selects costs the same everywhere."""

EXPANDED_FIELDS_MAX = 20_000
"""Fields of an operation after its fragments are written out; nested fragments can double them at every level."""
SEARCH_STEPS_MAX = 60_000
"""Questions "how could this field be had from here?" asked for one operation; about a second's work."""
TARGETS_TRIED_TOGETHER_MAX = 7
"""Up to so many subgraphs, every combination to jump to from one object is weighed (2^n); beyond, the next best."""
FETCHES_MAX = 500
"""Fetches of one plan; each may be a request at every execution."""
BATCH_PARTS_MAX = 16
"""Entity fetches that share one request; subgraphs bound their aliases, and one failure costs all of them."""
OUTPUT_VARIANTS_MAX = 6
"""Variables that switch occurrences of one response key; the answer's shape has an entry for each combination."""


class Cost(NamedTuple):
    """Compares as plans do: rounds first, then fetches, then fields."""

    rounds: int
    fetches: int
    fields: int = 0

    @property
    def is_here(self) -> bool:
        """No other fetch is needed."""
        return self.rounds == 0 and self.fetches == 0


FREE = Cost(0, 0)


def refused(code: Code, message: str) -> PlanningRefused:
    return PlanningRefused([GatewayError(code, message)])


def too_complex(what: str, bound: int) -> PlanningRefused:
    return refused(
        Code.QUERY_PLAN_COMPLEXITY_EXCEEDED,
        f"The operation is too complex to plan: it needs more than {bound} {what}. Ask for less in one operation.",
    )


class Budget:
    """Counts down; refuses when nothing is left."""

    __slots__ = ("_bound", "_left", "_what")

    def __init__(self, bound: int, what: str) -> None:
        self._bound = self._left = bound
        self._what = what

    @property
    def spent(self) -> int:
        return self._bound - self._left

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise too_complex(self._what, self._bound)
