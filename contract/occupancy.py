"""How much of a thing is taken when: quantities over days, summed. Pure.

The district that owns a thing and the overlay that orders it must count alike. A quantity is taken on each of its days,
the first one included and the last one not: what ends on a day makes room for what begins on it.

The sum changes only where something begins or ends. To go over those days in order costs n log n for n quantities,
however long they last: what goes for good is taken for thousands of years.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

__all__ = ["Period", "Taken", "busy_periods", "peak"]

Day = TypeVar("Day", date, str)
"""A date, or its ISO 8601 text: both come in the same order."""
Day_co = TypeVar("Day_co", date, str, covariant=True)


class Taken(Protocol[Day_co]):
    """A quantity on each day of [from_day, to_day); nothing where that is empty."""

    @property
    def from_day(self) -> Day_co: ...

    @property
    def to_day(self) -> Day_co: ...

    @property
    def quantity(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Period(Generic[Day]):
    """As much is taken on each day of [from_day, to_day)."""

    from_day: Day
    to_day: Day
    quantity: Decimal


def busy_periods(taken: Iterable[Taken[Day]], from_day: Day, to_day: Day) -> list[Period[Day]]:
    """The busy part of [from_day, to_day) in order: periods do not overlap, adjacent ones differ in quantity."""
    changes: defaultdict[Day, Decimal] = defaultdict(Decimal)
    for one in taken:
        start, end = max(one.from_day, from_day), min(one.to_day, to_day)
        if start < end:
            changes[start] += one.quantity
            changes[end] -= one.quantity
    periods: list[Period[Day]] = []
    level, since = Decimal(0), from_day
    for day in sorted(changes):
        if not changes[day]:
            continue
        if level:
            periods.append(Period(since, day, level))
        level, since = level + changes[day], day
    return periods


def peak(taken: Iterable[Taken[Day]], from_day: Day, to_day: Day) -> Decimal:
    """The most that is taken at a time within [from_day, to_day)."""
    return max((period.quantity for period in busy_periods(taken, from_day, to_day)), default=Decimal(0))
