"""How much of an asset is taken when: claims [from, to) with a quantity, summed over days. Pure, no I/O.

An expiring hold claims its own days. Goods that left on a hold claim every day until they are back: from today if they
left early, and until tomorrow at least if they are overdue, for nobody else can have them before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

__all__ = ["Claim", "busy_periods", "claim_of", "peak"]


@dataclass(frozen=True, slots=True)
class Claim:
    from_day: str
    to_day: str
    quantity: Decimal


def claim_of(from_day: str, to_day: str, quantity: Decimal, is_out: bool, today: date) -> Claim:
    if not is_out:
        return Claim(from_day, to_day, quantity)
    tomorrow = (today + timedelta(days=1)).isoformat()
    return Claim(min(from_day, today.isoformat()), max(to_day, tomorrow), quantity)


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
