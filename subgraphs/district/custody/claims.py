"""How much of an asset is taken when: claims [from, to) with a quantity, summed over days. Pure, no I/O.

An expiring hold claims its own days. Goods that left on a hold claim every day until they are back: from today if they
left early, and until tomorrow at least if they are overdue, for nobody else can have them before. Goods that are to go
for good claim every day from the first one on.

Between two claims on the same thing lie as many days as the one of them asks that asks for more (`buffer_days`). A
claim's buffer is counted behind it: with one buffer for all, two claims whose days and buffer do not overlap are as
far apart as they must be, whichever is first, and the sum over a day is exactly the number of things that are needed.
Where the buffers differ, `spaced` puts into each claim what the other one asks more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

__all__ = ["FOREVER", "Claim", "busy_periods", "claim_of", "days_later", "peak", "spaced", "with_buffers"]

FOREVER = "9999-12-31"
"""The day after the last of what is to go for good."""


@dataclass(frozen=True, slots=True)
class Claim:
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


def busy_periods(claims: Iterable[Claim], from_day: str, to_day: str) -> list[Claim]:
    """The busy part of [from_day, to_day) in order: periods do not overlap, adjacent ones differ in quantity."""
    changes: defaultdict[str, Decimal] = defaultdict(Decimal)
    for claim in claims:
        start, end = max(claim.from_day, from_day), min(claim.to_day, to_day)
        if start < end:
            changes[start] += claim.quantity
            changes[end] -= claim.quantity
    periods: list[Claim] = []
    level, since = Decimal(0), ""
    for day in sorted(changes):
        if not changes[day]:
            continue
        if level:
            periods.append(Claim(since, day, level))
        level, since = level + changes[day], day
    return periods


def peak(claims: Iterable[Claim], from_day: str, to_day: str) -> Decimal:
    """The most that is taken at a time within [from_day, to_day)."""
    return max((period.quantity for period in busy_periods(claims, from_day, to_day)), default=Decimal(0))
