"""Folds at the edge of what members may give."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import pytest

from gateway.pipeline.answer import Answered
from tests.horizontal.city import city
from tests.horizontal.rows import Row
from tests.horizontal.store import Store

LARGEST = "9" * 60
"""The largest integer part that the contract's decimals have."""


def worth_of(each: int) -> tuple[Store, Answered]:
    rows = [Row(code, key, price=f"{LARGEST}.{key:030d}") for code in ("A", "Z") for key in range(each)]
    here = city().settle(("A", "Z"), rows)
    return Store(rows), asyncio.run(here.ask("{ census { lots worth dearest isExact } }"))


def test_a_sum_over_members_may_be_longer_than_any_price() -> None:
    whole, answered = worth_of(1)
    found = answered.data["census"]
    assert Fraction(found["worth"]) == whole.worth
    assert Fraction(found["dearest"]) == whole.greatest("price")
    assert (found["isExact"], answered.errors) == (True, ())


@pytest.mark.parametrize("each", [2, 40])
def test_a_members_own_sum_that_is_longer_than_the_contract_allows_is_told_and_not_added_wrongly(each: int) -> None:
    whole, answered = worth_of(each)
    if answered.errors:
        assert {error.extensions["region"] for error in answered.errors} == {"A", "Z"}
        assert answered.data["census"]["isExact"] is False
    else:
        assert Fraction(answered.data["census"]["worth"]) == whole.worth
