"""Whatever moves in whatever order: nothing is lost, nothing is made, and balances are what the entries add up to."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from overlay.ledger.book import Book, Key
from overlay.ledger.entries import Account, Custody, Movement, NegativeBalance, Opening, Transfer, append, verify
from overlay.ledger.model import Balance
from overlay.ledger.verification import verify_ledger
from overlay.store.tables import ledger_balances
from tests.overlay.ledger.books import Books

CARDS = ("asset:330106:one", "asset:330105:two")
ACCOUNTS = [
    Account(region, unit, custody)
    for region, unit in (("330106", "u"), ("330106", None), ("330105", "b"))
    for custody in Custody
    if custody is not Custody.OPENING
]
OPENINGS = st.builds(
    Opening,
    st.just(ACCOUNTS[0]),
    st.decimals(1, 50, places=1),
    st.none() | st.decimals(0, 10**6, places=2),
    st.none() | st.just("A02010105"),
)
TRANSFERS = st.builds(
    Transfer,
    st.sampled_from(Movement),
    st.sampled_from(ACCOUNTS),
    st.sampled_from(ACCOUNTS),
    st.decimals("0.1", 60, places=1),
    st.none() | st.decimals(-5, 10**6, places=2),
    st.sampled_from([None, *CARDS]),
)
MOVES = st.lists(st.tuples(st.sampled_from(CARDS), OPENINGS, TRANSFERS), min_size=1, max_size=12)


@given(MOVES)
@settings(max_examples=300)
def test_nothing_is_lost_or_made_and_nobody_has_less_than_nothing(
    moves: list[tuple[str, Opening, Transfer]],
) -> None:
    book = Book([])
    quantities: dict[Key, Decimal] = {}
    is_new = True
    for card, opening, transfer in moves:
        try:
            pairs = Book(rows_of(book)).carry_out(card, opening, transfer, is_new=is_new)
        except NegativeBalance:
            continue
        book.carry_out(card, opening, transfer, is_new=is_new)
        is_new = False
        for side in itertools.chain.from_iterable(pairs):
            quantities[side.key] = quantities.get(side.key, Decimal(0)) + side.quantity
            assert side.after.quantity == quantities[side.key]
        for given_, taken in pairs:
            assert given_.quantity == -taken.quantity < 0
            assert (given_.value, taken.value) == (None, None) or (given_.value or 0) + (taken.value or 0) == 0
    held = dict(book.changed())
    assert sum((balance.quantity for balance in held.values()), Decimal(0)) == 0
    assert sum((balance.value or Decimal(0) for balance in held.values()), Decimal(0)) == 0
    for key, balance in held.items():
        if key.account.custody is not Custody.OPENING:
            assert balance.quantity >= 0
            assert (balance.value or 0) >= 0
            assert balance.quantity > 0 or not balance.value


def rows_of(book: Book) -> list[object]:
    class Row:
        def __init__(self, key: Key, balance: Balance) -> None:
            self.asset_id, self.region, self.unit = key.asset_id, key.account.region, key.account.unit or ""
            self.custody, self.quantity = key.account.custody, str(balance.quantity)
            self.value = None if balance.value is None else str(balance.value)

    return [Row(key, balance) for key, balance in book.changed()]


@given(MOVES)
@example(
    [(CARDS[0], Opening(ACCOUNTS[0], Decimal(1), None), Transfer(Movement.STORE, *ACCOUNTS[:2], Decimal(1), None))]
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_store_holds_what_the_entries_add_up_to(
    books: Books, moves: list[tuple[str, Opening, Transfer]]
) -> None:
    """Each example has a lineage of its own in the same store."""
    lineage = f"lineage-{next(NUMBERS)}"
    for card, opening, transfer in moves:
        try:
            async with books.database.write() as connection:
                await append(
                    connection, card, "order:1", "2026-12-01T00:00:00.000000Z", opening, transfer, lineage=lineage
                )
        except NegativeBalance:
            continue
    entries = await books.entries(lineage)
    verify(entries)
    assert sum(Decimal(entry["quantity"]) for entry in entries) == 0
    folded: dict[tuple[str, ...], Decimal] = {}
    for entry in entries:
        account = (entry["asset_id"], entry["region"], entry["unit"] or "", entry["custody"])
        folded[account] = folded.get(account, Decimal(0)) + Decimal(entry["quantity"])
        assert Decimal(entry["balance"]) == folded[account]
    table = ledger_balances
    async with books.database.read() as connection:
        rows = (await connection.execute(select(table).where(table.c.lineage == lineage))).all()
    kept = {(row.asset_id, row.region, row.unit, row.custody): Decimal(row.quantity) for row in rows}
    assert kept == {account: quantity for account, quantity in folded.items() if quantity}
    assert (await verify_ledger(books.database, ())).findings.shown == []


NUMBERS = itertools.count(1)


@pytest.mark.parametrize("value", [None, Decimal("7.01")])
def test_a_value_that_nobody_gives_goes_by_quantity(value: Decimal | None) -> None:
    book = Book([])
    opening = Opening(ACCOUNTS[0], Decimal(3), value)
    transfer = Transfer(Movement.DISPATCH, ACCOUNTS[0], ACCOUNTS[1], Decimal(1), None)
    *_, (_, taken) = book.carry_out(CARDS[0], opening, transfer, is_new=True)
    assert taken.value == (None if value is None else Decimal("2.34"))
