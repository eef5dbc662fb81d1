"""What takes how much of an asset on which days: claims, which `contract.occupancy` sums. Pure, no I/O.

An expiring hold claims its own days. Goods that left on a hold claim every day until they are back: from today if they
left early, and until tomorrow at least if they are overdue, for nobody else can have them before. Goods that are to go
for good claim every day from the first one on.

Between two claims on the same thing lie as many days as the one of them asks that asks for more (`buffer_days`). A
claim's buffer is counted behind it: with one buffer for all, two claims whose days and buffer do not overlap are as
far apart as they must be, whichever is first, and the sum over a day is exactly the number of things that are needed.
Where the buffers differ, `spaced` puts into each claim what the other one asks more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

__all__ = ["FOREVER", "Claim", "claim_of", "days_later", "spaced", "with_buffers"]

FOREVER = "9999-12-31"
"""The day after the last of what is to go for good."""


@dataclass(frozen=True, slots=True)
class Claim:
    """`quantity` on each day of [from_day, to_day)."""

    from_day: str
    to_day: str
    quantity: Decimal
    buffer_days: int = 0
    waits_since: str | None = None
    """When it was made, of goods that have not left yet: whoever came first goes first where there is not enough."""


def claim_of(from_day: str, to_day: str, quantity: Decimal, is_out: bool, today: date, buffer_days: int = 0) -> Claim:
    if not is_out:
        return Claim(from_day, to_day, quantity, buffer_days)
    tomorrow = (today + timedelta(days=1)).isoformat()
    return Claim(min(from_day, today.isoformat()), max(to_day, tomorrow), quantity, buffer_days)


def days_later(day: str, days: int) -> str:
    if day == FOREVER or not days:
        return day
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def with_buffers(claims: Iterable[Claim]) -> list[Claim]:
    """Each with the days behind it that nobody can have; their own buffers are spent."""
    return [Claim(one.from_day, days_later(one.to_day, one.buffer_days), one.quantity) for one in claims]


def spaced(claims: Iterable[Claim], buffer_days: int) -> list[Claim]:
    """The claims as one sees them that asks for [from, to + `buffer_days`)."""
    return [
        Claim(
            days_later(one.from_day, min(0, buffer_days - one.buffer_days)),
            days_later(one.to_day, max(buffer_days, one.buffer_days)),
            one.quantity,
        )
        for one in claims
    ]
