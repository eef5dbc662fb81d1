"""Balances are the fold of the entries, by any dimensions, as of any day, for each person what they may see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contract.identity import Identity, Role
from overlay.clock import parse_instant, shanghai_today
from overlay.ledger.balances import Dimension, Group, LedgerFilter, end_of, read_balances
from overlay.ledger.entries import Account, Custody, Movement, Opening
from tests.overlay.city import AUDITOR, BORROWING, CLERK, KEEPER, LENDING, OWNER, someone
from tests.overlay.ledger.books import LENT, OVER, Books

A, B, C = "asset:330106:a", "asset:330106:b", "asset:330105:c"
ELSEWHERE = Account("330105", OWNER, Custody.IN_STORE)
UNVALUED = Opening(ELSEWHERE, Decimal(5), None, "A05010101")
OFF = (Movement.DISPATCH, ELSEWHERE, LENT)

FIRST, SECOND, THIRD = date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 3)


@pytest.fixture
async def three_days(books: Books) -> Books:
    await books.move(A, quantity=3)
    books.clock.advance(days=1)
    await books.move(A, OVER, 2)
    await books.move(B)
    books.clock.advance(days=1)
    await books.move(C, OFF, 4, UNVALUED)
    return books


async def asked(
    books: Books,
    *by: Dimension,
    who: Identity = AUDITOR,
    day: date | None = None,
    **filter_: Any,
) -> Mapping[tuple[str | None, ...], Group]:
    async with books.database.read() as connection:
        return await read_balances(connection, who, by, LedgerFilter(**filter_), day)


async def folded(books: Books, day: date) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
    sums: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for lineage in (A, B, C):
        for entry in await books.entries(lineage):
            if shanghai_today(parse_instant(entry["at"])) <= day and entry["custody"] != "OPENING":
                key = (entry["region"], entry["unit"], entry["custody"])
                held = sums.get(key, (Decimal(0), Decimal(0)))
                sums[key] = held[0] + Decimal(entry["quantity"]), held[1] + Decimal(entry["value"] or 0)
    return {key: held for key, held in sums.items() if held[0]}


@pytest.mark.parametrize("day", [FIRST, SECOND, THIRD, date(2026, 11, 30)])
async def test_as_of_each_day_they_are_what_its_entries_add_up_to(three_days: Books, day: date) -> None:
    groups = await asked(three_days, Dimension.REGION, Dimension.UNIT, Dimension.CUSTODY, day=day)
    assert {key: (group.quantity, group.value) for key, group in groups.items()} == await folded(three_days, day)


async def test_now_is_as_of_today(three_days: Books) -> None:
    by = (Dimension.REGION, Dimension.CUSTODY)
    assert await asked(three_days, *by) == await asked(three_days, *by, day=THIRD)


async def test_by_class_or_top_class_and_what_has_no_value_is_not_taken_for_zero(three_days: Books) -> None:
    groups = await asked(three_days, Dimension.CLASS)
    assert groups == {
        ("A02020200",): Group(Decimal(20), Decimal(20), Decimal(200)),
        ("A05010101",): Group(Decimal(5), Decimal(0), Decimal(0)),
    }
    assert list(await asked(three_days, Dimension.TOP_CLASS)) == [("A02",), ("A05",)]


async def test_filters_narrow_and_openings_are_shown_only_where_asked_for(three_days: Books) -> None:
    assert list(await asked(three_days, Dimension.CLASS, classes=["A05"])) == [("A05010101",)]
    assert (await asked(three_days, asset_ids=[A]))[()].quantity == 10
    assert (await asked(three_days, custodies=["OPENING"]))[()].quantity == -25
    assert (await asked(three_days, units=["b"], custodies=["LENT"]))[()].quantity == 6
    assert await asked(three_days, regions=["330109"]) == {}


@pytest.mark.parametrize(
    ("who", "regions"),
    [
        (AUDITOR, {"330105", "330106"}),
        (LENDING, {"330106"}),
        (KEEPER, {"330106"}),
        (BORROWING, {"330105"}),
        (someone("finance", Role.FINANCE, region="330105"), {"330105"}),
        (someone("unit", Role.UNIT_OFFICER, region="330106", unit="b"), {"330105"}),
        (CLERK, set()),
    ],
)
async def test_each_sees_the_accounts_of_their_own_city_region_or_unit(
    three_days: Books, who: Identity, regions: set[str]
) -> None:
    assert {region for (region,) in await asked(three_days, Dimension.REGION, who=who)} == regions


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    assert end_of(date(2026, 12, 1)) == "2026-12-01T16:00:00.000000Z"
