"""How many rows of a page each member is asked for: what the same operation's pages took from it of late.

A page of 50 over fourteen members needs 50 rows, and nobody knows beforehand whose. Asking each for 50 is always right
and carries 700. Pages of one operation resemble each other, though: so each member is asked for the share that it had,
with room to spare, and who turns out to limit the page is asked once more (`sized`). A wrong guess costs a round, never a row.

- Who is not known is asked for the whole page: the first pages of an operation teach.
- Only full pages teach: one on which the rows ran out says nothing about how a full one spreads.
- A page larger than any that was full is asked for whole, so what a member refuses for its size it always refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import TypeAlias

__all__ = ["SIZED_ENTITIES_MAX", "SIZED_FROM", "PageSizes"]

SIZED_FROM = 11
"""The smallest page that is asked for in sizes: below, a round that may be wanted costs more than the rows spared."""
SIZED_ENTITIES_MAX = 8
"""Entities of one round whose pages are asked for in sizes: each may want requests of its own to the members that limit
its page. Of more, all are asked for whole."""
DECAY = 0.9
"""What a share falls to from page to page unless the page took as much again: a peak is halved after seven pages."""
HEADROOM = 1.5
SPARE = 4
"""Rows beyond share × headroom. Rows spread by chance deviate by the root of their number: for few rows that is more
than the headroom (4 of 50: ± 2), for many it is less (25 of 50: ± 4). Rows spread by chance over fourteen members are so
carried 3.8 times for one, and one page of 50 in more than a thousand takes a second round."""
STEP = 4
"""Sizes are multiples of this, so that a member sees few different requests: of a page of 50 at most thirteen."""
KEPT_MAX = 1_024
"""Shares kept for one operation; members beyond these are asked for whole pages."""


@dataclass(slots=True)
class _Learned:
    share: float
    """Of a page's rows, the member's."""
    largest: int
    """The largest page that was full."""


Place: TypeAlias = tuple[int, str]
"""(the field's place in the operation, the member's region)."""


@dataclass(slots=True)
class PageSizes:
    """Of one operation."""

    _learned: dict[Place, _Learned] = field(default_factory=dict)

    def size(self, place: int, region: str, first: int) -> int:
        known = self._learned.get((place, region))
        if known is None or first > known.largest:
            return first
        rows = ceil(known.share * first * HEADROOM) + SPARE
        return min(first, ceil(rows / STEP) * STEP)

    def learn(self, place: int, first: int, taken: Mapping[str, int]) -> None:
        """From full pages of `first` rows: of one of them, at most so many were each member's."""
        for region, rows in taken.items():
            known = self._learned.get((place, region))
            if known is not None:
                known.share = max(rows / first, DECAY * known.share)
                known.largest = max(known.largest, first)
            elif len(self._learned) < KEPT_MAX:
                self._learned[place, region] = _Learned(rows / first, first)
