"""Folds at the edge of what members may give."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import pytest

from tests.horizontal.city import city
from tests.horizontal.rows import Row
from tests.horizontal.store import Store

LARGEST = "9" * 60
"""The largest integer part that the contract's decimals have."""


@pytest.mark.parametrize("each", [1, 2, 40])
def test_a_sum_is_exact_even_where_each_members_own_sum_is_longer_than_any_price(each: int) -> None:
    rows = [Row(code, key, price=f"{LARGEST}.{key:030d}") for code in ("A", "Z") for key in range(each)]
    found = asyncio.run(city().settle(("A", "Z"), rows).data("{ census { worth dearest isExact } }"))["census"]
    whole = Store(rows)
    assert Fraction(found["worth"]) == whole.worth
    assert Fraction(found["dearest"]) == whole.greatest("price")
    assert found["isExact"] is True
