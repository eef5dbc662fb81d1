"""Pairs balance, values add up to the cent, and what was changed afterwards is found."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.ledger.entries import (
    Account,
    BrokenChain,
    Custody,
    Movement,
    NegativeBalance,
    Opening,
    Transfer,
    append,
    lineage_of,
    share_of,
    stock_of,
    verify,
)
from overlay.ledger.model import PLACES
from overlay.ledger.verification import verify_ledger
from tests.overlay.conftest import Desk
from tests.overlay.ledger.books import LENT, OPENING, OUT, OVER, ROAD, STORE, Books

X = "asset:330106:x"


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


async def test_more_than_is_there_cannot_leave_and_nothing_of_it_is_written(books: Books) -> None:
    await books.move(X, OUT, 4)
    before = await books.entries(X)
    for what, quantity in ((OUT, 7), (OVER, 5), ((Movement.RETURN, LENT, ROAD), 1), (OUT, 0), (OUT, -1)):
        with pytest.raises(NegativeBalance):
            await books.move(X, what, quantity)
    assert await books.entries(X) == before
    assert (await verify_ledger(books.database, ())).holds


async def test_what_leaves_last_takes_the_rest_of_the_value(books: Books) -> None:
    """Three orders of a third each, rounded by each order for itself: 66.67 three times is a cent too much."""
    opening = Opening(STORE, Decimal(3), Decimal("200.00"))
    for _ in range(3):
        async with books.database.write() as connection:
            transfer = Transfer(*OUT, Decimal(1), share_of(opening.value, Decimal(0), Decimal(1), Decimal(3)))
            await append(connection, X, "order:1", "2026-12-01T00:00:00.000000Z", opening, transfer)
    last = (await books.entries(X))[-2:]
    assert [(entry["value"], entry["balance_value"]) for entry in last] == [("-66.66", "0.00"), ("66.66", "200.00")]


async def test_a_card_that_grew_or_changed_its_owner_is_adjusted_before_its_goods_leave(books: Books) -> None:
    await books.move(X, OUT, 4)
    new = Account("330106", "v", Custody.IN_STORE)
    road = Account("330106", "v", Custody.IN_TRANSIT)
    opening = Opening(new, Decimal(12), Decimal("120.00"))
    before = await books.entries(X)
    with pytest.raises(NegativeBalance):
        await books.move(X, (Movement.DISPATCH, new, road), 8, opening)
    assert await books.entries(X) == before, "what is missing may only not be recorded yet"
    await books.move(X, (Movement.DISPATCH, new, road), 8, opening, learns=True)
    entries = await books.entries(X)
    adjusted = [(e["unit"], e["custody"], e["quantity"], e["value"]) for e in entries if e["movement"] == "ADJUST"]
    assert adjusted == [
        ("u", "IN_STORE", "-6", "-60.00"),
        ("v", "IN_STORE", "6", "60.00"),
        ("v", "OPENING", "-2", "-20.00"),
        ("v", "IN_STORE", "2", "20.00"),
    ]
    assert (await verify_ledger(books.database, ())).holds


async def test_what_the_owner_gave_away_was_there_whatever_an_old_card_says(books: Books) -> None:
    await books.move(X, OUT, 10)
    await books.move(X, OUT, 3, learns=True)
    adjusted = [(e["custody"], e["quantity"], e["value"]) for e in await books.entries(X) if e["movement"] == "ADJUST"]
    assert adjusted == [("OPENING", "-3", "-30.00"), ("IN_STORE", "3", "30.00")]
    assert (await verify_ledger(books.database, ())).holds


async def test_a_successor_card_goes_on_in_its_predecessors_lineage(books: Books) -> None:
    successor = "asset:330105:y"
    there = Account("330105", "b", Custody.IN_STORE)
    await books.move(X, OUT, 4)
    async with books.database.write() as connection:
        over = Transfer(Movement.RECEIVE, ROAD, there, Decimal(4), None, target_asset=successor)
        await append(connection, X, "order:1", "2026-12-01T00:00:00.000000Z", OPENING, over)
    async with books.database.write() as connection:
        assert await lineage_of(connection, successor) == X
        assert await stock_of(connection, [successor, X, "asset:330106:other"]) == {
            successor: {Custody.IN_STORE: 4}, X: {Custody.IN_STORE: 6},
        }  # fmt: skip
        on = Transfer(Movement.DISPATCH, there, LENT, Decimal(1), None)
        await append(connection, successor, "order:2", "2026-12-02T00:00:00.000000Z", OPENING, on)
    entries = await books.entries(X)
    assert [entry["asset_id"] for entry in entries[-4:]] == [X, successor, successor, successor]
    assert [entry["value"] for entry in entries[-4:]] == ["-40.00", "40.00", "-10.00", "10.00"]
    assert (await verify_ledger(books.database, ())).holds


async def test_of_many_who_append_at_once_each_gets_a_place_in_the_chain(books: Books) -> None:
    await asyncio.gather(*(books.move(X) for _ in range(8)))
    entries = await books.entries(X)
    verify(entries)
    assert len(entries) == 2 + 2 * 8
    refused = await asyncio.gather(*(books.move(X) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, NegativeBalance) for one in refused) == 2


def test_every_custody_state_says_where_the_goods_are() -> None:
    assert set(PLACES) == set(Custody)
