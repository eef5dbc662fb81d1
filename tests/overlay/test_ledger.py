"""Pairs balance, values add up to the cent, and what was changed afterwards is found."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.ledger.entries import Account, BrokenChain, Custody, Movement, Opening, Transfer, append, share_of, verify
from tests.overlay.conftest import Desk

STORE = Account("330106", "u", Custody.IN_STORE)
ROAD = Account("330106", "u", Custody.IN_TRANSIT)


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_the_values_of_all_parts_add_up_to_the_whole(value: Decimal, parts: list[int]) -> None:
    whole, moved, total = Decimal(sum(parts)), Decimal(0), Decimal(0)
    for part in parts:
        share = share_of(value, moved, Decimal(part), whole)
        assert share is not None
        total, moved = total + share, moved + part
    assert total == value


async def written(desk: Desk, *quantities: int) -> list[dict[str, object]]:
    opening = Opening(STORE, Decimal(10), Decimal("100.00"))
    async with desk.database.write() as connection:
        for quantity in quantities:
            transfer = Transfer(Movement.DISPATCH, STORE, ROAD, Decimal(quantity), Decimal(quantity) * 10)
            await append(connection, "asset:330106:x", "order:1", "2026-12-01T00:00:00.000000Z", opening, transfer)
    return [dict(row) for row in await desk.ledger("asset:330106:x")]


async def test_entries_are_numbered_paired_and_chained(desk: Desk) -> None:
    entries = await written(desk, 2, 3)
    verify(entries)
    assert [entry["sequence"] for entry in entries] == [1, 2, 3, 4, 5, 6]
    balance: dict[object, Decimal] = {}
    for entry in entries:
        custody = entry["custody"]
        balance[custody] = balance.get(custody, Decimal(0)) + Decimal(str(entry["quantity"]))
    assert balance == {"OPENING": -10, "IN_STORE": 5, "IN_TRANSIT": 5}


@pytest.mark.parametrize("field", ["quantity", "value", "region", "unit", "at", "order_id", "movement", "custody"])
async def test_a_changed_entry_is_found(desk: Desk, field: str) -> None:
    entries = await written(desk, 2)
    entries[2][field] = "9"
    with pytest.raises(BrokenChain):
        verify(entries)


async def test_a_missing_or_swapped_entry_is_found(desk: Desk) -> None:
    entries = await written(desk, 2, 3)
    for wrong in (entries[1:], entries[:2] + entries[4:], [entries[1], entries[0], *entries[2:]]):
        with pytest.raises(BrokenChain):
            verify(wrong)
