"""Groups of several members that are one group: equal by value, however a member writes it."""

from __future__ import annotations

import asyncio
from collections import Counter
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.support.gateway import gateway
from tests.gateway.support.library import NAMES, Library, Row

SPELLINGS = ["12.5", "12.50", "12.500", "0.00", "0", "-3.5", "-3.50", "100", "99999999999999999999.9"]


async def groups(priced: list[tuple[str, str]]) -> list[dict[str, Any]]:
    rows = [Row(branch, key, None, price, None) for key, (branch, price) in enumerate(priced)]
    async with gateway(Library(rows=rows)) as city:
        found: list[dict[str, Any]] = (await city.data("{ stock { byPrice { price count } } }"))["stock"]["byPrice"]
        return found


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(sorted(NAMES)), st.sampled_from(SPELLINGS)), max_size=12))
def test_groups_of_equal_decimals_are_one_in_the_order_of_their_values(priced: list[tuple[str, str]]) -> None:
    expected = sorted(Counter(Fraction(price) for _, price in priced).items())
    found = asyncio.run(groups(priced))
    assert [(Fraction(one["price"]), one["count"]) for one in found] == expected


async def test_texts_that_look_like_numbers_stay_texts() -> None:
    rows = [Row("e", 1, "12.5", None, None), Row("n", 2, "12.50", None, None)]
    async with gateway(Library(rows=rows)) as city:
        stock = (await city.data("{ stock { byTitle { title count } } }"))["stock"]
        assert stock["byTitle"] == [{"title": "12.5", "count": 1}, {"title": "12.50", "count": 1}]
