"""What is taken when, beside a count that goes over every day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.occupancy import Period, busy_periods, peak

DAYS = 12
START = date(2023, 12, 26)
"""So that the days go over a month's and a year's end."""
FOREVER = 9999

Spell = Callable[[int], Any]
SPELLINGS: tuple[Spell, ...] = (
    lambda day: date.max if day == FOREVER else START + timedelta(days=day),
    lambda day: "9999-12-31" if day == FOREVER else (START + timedelta(days=day)).isoformat(),
)
DAY = st.integers(0, DAYS)
QUANTITIES = st.sampled_from([Decimal(0), Decimal("0.25"), Decimal(1), Decimal(3)])
TAKEN = st.lists(st.builds(Period, DAY, DAY | st.just(FOREVER), QUANTITIES), max_size=6)
"""By the number of each day."""


def levels(taken: Sequence[Period[Any]], first: int, after: int) -> dict[int, Decimal]:
    """What is taken on each day, with no thought spent."""
    return {
        day: sum((one.quantity for one in taken if one.from_day <= day < one.to_day), Decimal(0))
        for day in range(first, after)
    }


def spelled(taken: Sequence[Period[Any]], spell: Spell) -> list[Period[Any]]:
    return [Period(spell(one.from_day), spell(one.to_day), one.quantity) for one in taken]


@pytest.mark.parametrize("spell", SPELLINGS, ids=["dates", "texts"])
@given(taken=TAKEN, first=DAY, after=DAY)
def test_the_peak_is_the_fullest_days(spell: Spell, taken: list[Period[Any]], first: int, after: int) -> None:
    fullest = max(levels(taken, first, after).values(), default=Decimal(0))
    assert peak(spelled(taken, spell), spell(first), spell(after)) == fullest


@pytest.mark.parametrize("spell", SPELLINGS, ids=["dates", "texts"])
@given(taken=TAKEN, first=DAY, after=DAY)
def test_the_periods_are_the_days_and_no_more_of_them_than_needed(
    spell: Spell, taken: list[Period[Any]], first: int, after: int
) -> None:
    periods = busy_periods(spelled(taken, spell), spell(first), spell(after))
    by_day = {
        day: next((one.quantity for one in periods if one.from_day <= spell(day) < one.to_day), Decimal(0))
        for day in range(DAYS)
    }
    within = levels(taken, first, after)
    assert by_day == {day: within.get(day, Decimal(0)) for day in range(DAYS)}
    assert all(one.quantity and one.from_day < one.to_day for one in periods)
    for one, following in pairwise(periods):
        assert one.to_day < following.from_day or (
            one.to_day == following.from_day and one.quantity != following.quantity
        )


def test_what_ends_on_a_day_makes_room_for_what_begins_on_it() -> None:
    one, next_one = Period("2024-03-01", "2024-03-05", Decimal(1)), Period("2024-03-05", "2024-03-09", Decimal(1))
    assert peak([one, next_one], "2024-03-01", "2024-03-31") == 1
    assert busy_periods([one, next_one], "2024-03-01", "2024-03-31") == [Period("2024-03-01", "2024-03-09", Decimal(1))]
